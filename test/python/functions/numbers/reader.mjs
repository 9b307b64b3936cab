// What reader.py does, in JavaScript.
const failing = new Set((process.env.FAILING ?? "").split(" ").map(Number));

const number = ({ kinesis, dynamodb }) =>
  kinesis ? Number(Buffer.from(kinesis.data, "base64")) : Number(dynamodb.NewImage.number.N);

const sequenceNumber = ({ kinesis, dynamodb }) => kinesis?.sequenceNumber ?? dynamodb.SequenceNumber;

export const handler = async ({ Records, ...rest }) => {
  const numbers = Records.map(number);
  console.log("numbers " + JSON.stringify({ numbers, ...rest }));
  if (rest.window) {
    const sum = numbers.reduce((a, b) => a + b, Number(rest.state.sum ?? 0));
    return { state: { sum: String(sum) } };
  }
  const failed = Records.find((r, i) => i > 0 && failing.has(numbers[i]));
  return { batchItemFailures: failed ? [{ itemIdentifier: sequenceNumber(failed) }] : [] };
};
