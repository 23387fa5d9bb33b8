// The process of one command: told what to do over its channel, does it, says how it ended, and ends.
import { Channel, endProcess } from './channel.ts';
import { prepare, runScript } from './shell.ts';

await prepare();
const channel = new Channel();
const assignment = await channel.assignment();
if (assignment.type === 'probe') {
  const { probe } = await import('./probe.ts');
  channel.end({ type: 'probed', ...(await probe(assignment, channel)) });
} else {
  channel.end({ type: 'exit', exitCode: await runScript(assignment, channel) });
}
endProcess();
