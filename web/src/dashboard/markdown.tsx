import { lexer, type Token, type Tokens } from "marked";
import type { ComponentChildren } from "preact";

// Markdown shows the text of a text widget. It is built from the parser's tokens,
// never from HTML: tags in the text are shown as text, links lead only to the
// web, mail and pages of this server, and images are shown as links, as nothing
// is loaded from elsewhere.
export function Markdown(props: { text: string }) {
  return <div class="markdown">{blocks(lexer(props.text))}</div>;
}

function blocks(tokens: Token[]): ComponentChildren[] {
  return tokens.map(block);
}

function block(t: Token): ComponentChildren {
  switch (t.type) {
    case "heading": {
      // The page has the first heading; those of a widget stand below it.
      const H = `h${Math.min(t["depth"] + 2, 6)}` as "h3";
      return <H>{inline(t)}</H>;
    }
    case "paragraph":
      return <p>{inline(t)}</p>;
    case "code":
      return <pre tabIndex={0}><code>{t["text"]}</code></pre>;
    case "blockquote":
      return <blockquote>{blocks(t.tokens ?? [])}</blockquote>;
    case "list": {
      const l = t as Tokens.List;
      const items = l.items.map((i, n) => <li key={n}>{blocks(i.tokens)}</li>);
      return l.ordered ? <ol start={l.start || 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "table":
      return table(t as Tokens.Table);
    case "hr":
      return <hr />;
    case "space":
    case "def":
      return null;
    default:
      return inline(t);
  }
}

function table(t: Tokens.Table): ComponentChildren {
  const cells = (row: Tokens.TableCell[], Cell: "th" | "td") =>
    row.map((c, i) => <Cell key={i} class={c.align === "right" ? "right" : ""}>{inline(c)}</Cell>);
  return (
    <table>
      <thead><tr>{cells(t.header, "th")}</tr></thead>
      <tbody>{t.rows.map((r, i) => <tr key={i}>{cells(r, "td")}</tr>)}</tbody>
    </table>
  );
}

function inline(t: { tokens?: Token[]; text?: string; raw?: string }): ComponentChildren {
  if (!t.tokens) return plain(t.text ?? t.raw ?? "");
  return t.tokens.map(span);
}

function span(t: Token): ComponentChildren {
  switch (t.type) {
    case "strong":
      return <strong>{inline(t)}</strong>;
    case "em":
      return <em>{inline(t)}</em>;
    case "del":
      return <del>{inline(t)}</del>;
    case "codespan":
      return <code>{t["text"]}</code>;
    case "br":
      return <br />;
    case "link":
      return link(t["href"], inline(t), t["text"]);
    case "image":
      return link(t["href"], t["text"] || t["href"], "");
    case "text":
    case "escape":
      return inline(t);
    default:
      return t.raw;
  }
}

// plain undoes the escapes that the parser leaves in text.
function plain(text: string): string {
  const escapes: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (e) => escapes[e]!);
}

// link also makes CloudWatch's buttons: [button:Text](address).
function link(href: string, content: ComponentChildren, text: string): ComponentChildren {
  const button = /^button:(?:primary:)?(.+)$/.exec(text);
  let url: URL;
  try {
    url = new URL(href, location.href);
  } catch {
    return content;
  }
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return content;
  const here = url.origin === location.origin;
  return (
    <a href={url.href} class={button ? "button" : undefined} {...(here ? {} : { target: "_blank", rel: "noopener noreferrer" })}>
      {button ? button[1] : content}
    </a>
  );
}
