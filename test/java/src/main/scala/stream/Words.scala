package stream

import java.io.{InputStream, OutputStream}
import java.nio.charset.StandardCharsets.UTF_8

import com.amazonaws.services.lambda.runtime.{Context, RequestStreamHandler}

/** Answers with the words of the event in upper case, sorted. */
class Words extends RequestStreamHandler {
  override def handleRequest(in: InputStream, out: OutputStream, context: Context): Unit = {
    val words = "[A-Za-z]+".r.findAllIn(new String(in.readAllBytes(), UTF_8)).map(_.toUpperCase).toSeq.sorted
    out.write(words.mkString("[\"", "\",\"", "\"]").getBytes(UTF_8))
  }
}
