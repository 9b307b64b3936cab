import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, useData } from "../api";
import type { Mail, MailDetail, MailPage as Page1 } from "../data";
import { now, when } from "../format";
import { live } from "../live";
import { to } from "../router";
import { Icon } from "../ui/icons";
import { Card, Empty, Exact, Loading, Page, Problem } from "../ui/parts";
import { NoMail } from "./empty";

// MailPage is the outbox: a list, and beside it the mail with the given ID.
export function MailPage(props: { id: string }) {
  const summary = live.value.mail;
  const smtp = live.value.server?.smtp;
  const { data, error, loading } = useData<Page1>("mail", `${summary?.total} ${summary?.newest}`);
  const [older, setOlder] = useState<{ mails: Mail[]; next?: string }>({ mails: [] });
  useEffect(() => setOlder({ mails: [] }), [summary?.newest]);
  const mails = [...(data?.mails ?? []), ...older.mails];
  const next = older.mails.length > 0 ? older.next : data?.next;
  const more = async () => {
    const page = await get<Page1>("mail?before=" + encodeURIComponent(next!));
    setOlder((was) => ({ mails: [...was.mails, ...page.mails], next: page.next }));
  };
  const under = smtp ? `Sent through ${smtp}` : "Kept here, as no SMTP server is set";
  if (loading || (!data && !error)) return <Page title="Mail"><Loading /></Page>;
  if (!data) return <Page title="Mail"><Problem>{error}</Problem></Page>;
  if (mails.length === 0) return <Page title="Mail" under={under}><Card><NoMail /></Card></Page>;
  return (
    <Page title="Mail" wide under={under}>
      <div class={"mail" + (props.id ? " mail-reading" : "")}>
        <nav class="card mail-list" aria-label="Mails">
          {mails.map((m) => (
            <a key={m.id} href={to("mail", m.id)} class="mail-item" data-mail={m.id} aria-current={m.id === props.id ? "true" : undefined}>
              <span class="mail-to">{m.to}</span>
              <time class="num quiet" dateTime={m.time}>{when(new Date(m.time), now.value)}</time>
              <span class="mail-subject">{m.subject}</span>
              {m.preview && <span class="mail-preview">{m.preview}</span>}
            </a>
          ))}
          {next && <button type="button" class="button button-ghost" onClick={more}>Older mail</button>}
        </nav>
        {props.id ? <Reader key={props.id} id={props.id} /> : <Card class="mail-none"><Empty small title="Choose a mail to read it." /></Card>}
      </div>
    </Page>
  );
}

function Reader(props: { id: string }) {
  const { data, error, loading } = useData<MailDetail>("mail/" + encodeURIComponent(props.id));
  return (
    <article class="card mail-reader">
      <a class="back mail-back" href={to("mail")}><Icon name="back" size={12} />All mail</a>
      {loading ? <Loading /> : !data ? <Problem>{error}</Problem> : (
        <>
          <h2>{data.subject}</h2>
          <dl class="mail-head">
            <dt>From</dt><dd>{data.from}</dd>
            <dt>To</dt><dd>{data.to}</dd>
            <dt>Sent</dt><dd><Exact at={data.time} /></dd>
          </dl>
          <Confirm body={data.body} />
          <pre class="mail-body">{linked(data.body)}</pre>
        </>
      )}
    </article>
  );
}

const address = /https?:\/\/[^\s<>"]+[^\s<>".,;:)]/g;

// Confirm offers what a subscription's first mail is for.
function Confirm(props: { body: string }) {
  const url = (props.body.match(address) ?? []).find((u) => /[?&]Action=ConfirmSubscription\b/.test(u));
  if (!url) return null;
  return <p><a class="button button-primary" href={url} target="_blank" rel="noopener noreferrer">Confirm subscription<Icon name="external" size={13} /></a></p>;
}

// linked makes the addresses in a text links.
function linked(text: string): ComponentChildren[] {
  const out: ComponentChildren[] = [];
  let at = 0;
  for (const m of text.matchAll(address)) {
    out.push(text.slice(at, m.index), <a href={m[0]} target="_blank" rel="noopener noreferrer">{m[0]}</a>);
    at = m.index + m[0].length;
  }
  out.push(text.slice(at));
  return out;
}
