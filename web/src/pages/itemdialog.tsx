import { useEffect, useRef, useState } from "preact/hooks";
import { unturned } from "../format";
import { Icon } from "../ui/icons";
import { Choice, Copy } from "../ui/parts";
import { plainJSON, type Item } from "./item";

// ItemDialog shows one item whole.
export function ItemDialog(props: { title: string; item: Item; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [form, setForm] = useState<"plain" | "typed">("plain");
  useEffect(() => dialog.current?.showModal(), []);
  const text = form === "plain" ? plainJSON(props.item) : unturned(JSON.stringify(props.item, null, 2));
  return (
    <dialog ref={dialog} class="dialog" aria-label={`Item ${props.title}`} onClose={props.onClose} onClick={(e) => e.target === dialog.current && dialog.current!.close()}>
      <header class="dialog-head">
        <h2>{props.title}</h2>
        <button type="button" class="button button-ghost button-square" aria-label="Close" onClick={() => dialog.current?.close()}><Icon name="close" /></button>
      </header>
      <pre class="json" tabIndex={0}>{text}</pre>
      <footer class="dialog-foot">
        <Choice label="Notation" value={form} onChange={setForm} options={[{ value: "plain", label: "JSON" }, { value: "typed", label: "DynamoDB JSON" }]} />
        <Copy text={text} label="item" />
      </footer>
    </dialog>
  );
}
