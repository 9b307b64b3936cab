import { live } from "../live";
import { FunctionList } from "../ui/lists";
import { Card, Loading, Page } from "../ui/parts";
import { NoFunctions } from "./empty";

export function FunctionsPage() {
  const { loaded, functions } = live.value;
  return (
    <Page title="Functions">
      <Card flush={functions.length > 0}>{!loaded ? <Loading /> : functions.length > 0 ? <FunctionList functions={functions} /> : <NoFunctions />}</Card>
    </Page>
  );
}
