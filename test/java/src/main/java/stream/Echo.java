package stream;

import com.amazonaws.services.lambda.runtime.Context;
import java.util.Map;
import java.util.TreeMap;

/** Gives the event back with what it knows of its invocation. */
public class Echo {
    public Map<String, Object> handle(Map<String, Object> event, Context context) {
        if (event.get("fail") != null) {
            throw new IllegalArgumentException(event.get("fail").toString());
        }
        if (event.get("exit") != null) {
            System.exit((Integer) event.get("exit"));
        }
        System.out.println("heard " + event);
        Map<String, Object> answer = new TreeMap<>();
        answer.put("event", event);
        answer.put("function", context.getFunctionName());
        answer.put("arn", context.getInvokedFunctionArn());
        answer.put("request", context.getAwsRequestId());
        answer.put("memory", context.getMemoryLimitInMB());
        answer.put("time", context.getRemainingTimeInMillis() > 0);
        answer.put("heap", Runtime.getRuntime().maxMemory() >> 20);
        answer.put("java", Runtime.version().feature());
        return answer;
    }
}
