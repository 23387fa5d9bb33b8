import { type EmbeddedStackOptions, startEmbeddedStack } from '@spanwise/dev-stack';

/** Runs a stack until it is killed, or whoever started it is gone; tells its addresses in a line. */
process.stdin.resume().once('close', () => process.kill(process.pid, 'SIGKILL'));
const stack = await startEmbeddedStack(JSON.parse(process.argv[2] ?? '{}') as EmbeddedStackOptions);
process.stdout.write(`${JSON.stringify(stack.urls)}\n`);
