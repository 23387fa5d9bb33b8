// The program that the conformance suite starts as the client under test: it takes up the server at the address that it is
// given, as tool-host does, and calls all of its tools. Answers to questions are made up from their forms.
import { parseArgs } from 'node:util';
import { answerTo, McpBench, toolServer, until } from './mcp-bench.ts';
import { exampleOf } from './schema-example.ts';

/** What a scenario wants to see called; else every tool is called once. */
interface ScenarioContext {
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: unknown }[];
}

const { positionals } = parseArgs({ allowPositionals: true });
const url = positionals.at(-1) ?? '';
const { toolCalls }: ScenarioContext = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');

await using bench = new McpBench([toolServer('srv', { kind: 'mcp-http', url, auth: { kind: 'none' } })]);
await until(() => bench.logged.some((line) => line.startsWith('mcp tools')));
const calls =
  toolCalls?.map(({ name, arguments: input }) => ({ name: `srv__${name}`, input })) ??
  bench.tools().map(({ name, input }) => ({ name, input: inputOf(name, exampleOf(input.jsonSchema)) }));

/** One scenario wants to see the schema of one tool as an argument of another. */
function inputOf(name: string, example: unknown): unknown {
  const [focal] = bench.tools();
  return name === 'srv__json_schema_echo' ? { schema: focal?.input.jsonSchema } : example;
}

for (const { name, input } of calls) {
  const callId = bench.newId();
  let last = await bench.last(name, input, { callId });
  while (last.type === 'suspended') {
    const content = exampleOf(JSON.parse(last.interrupt.schemaJson).properties.content);
    last = await bench.last(name, input, { callId, answer: answerTo(last, { action: 'accept', content }) });
  }
  process.stdout.write(`${name} ${JSON.stringify(last.type === 'result' ? last.result : last.type)}\n`);
}
process.stdout.write(`${bench.logged.join('\n')}\n`);
