import { Code } from '@connectrpc/connect';
import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import type { Evidence } from '../evidence/evidence.ts';
import { violation } from './log-checkers.ts';
import type { Violation } from './violation.ts';

/** Sockets that a process may have more than before the first client: pools and connections to peers have grown. */
const socketSlack = 60;
/** What one stalled watcher may cost. */
const maxSlowdown = 1.1;
/** What can not be told from noise on a machine of two cores; in milliseconds. */
const noiseMs = 15;
const maxMiBPerWatcher = 1;
/** What heaps grow and shrink by in one round, whoever watches. */
const noiseMiB = 24;
/** How much later than its deadline an RPC may end. */
const deadlineSlackMs = 1000;
/** How late the process of the suite itself may notice that. */
const ownSlackMs = 1500;

/**
 * I16, as far as the operating system shows it: after the last client has left, no service process has many more sockets
 * than before the first, and none has children. Handlers and listeners inside of a process are for the services' own tests.
 */
export function checkLeftovers({ leftovers }: Evidence): readonly Violation[] {
  return leftovers.flatMap(({ process, socketsBefore, sockets, children }) => [
    ...(sockets > socketsBefore + socketSlack
      ? [violation('I16', `${process} has ${sockets} sockets, it had ${socketsBefore}`)]
      : []),
    ...(children > 0 ? [violation('I16', `${process} has ${children} children`)] : []),
  ]);
}

/** I17: stalled watchers raise the others' p99 by less than 10 % (and noise), and memory by less than 1 MiB each. */
export function checkWatcherCost({ watcherCost }: Evidence): readonly Violation[] {
  if (watcherCost === undefined) {
    return [];
  }
  const { stalled, othersP99Ms, othersP99MsBefore, memoryMiB } = watcherCost;
  const isSlow = othersP99Ms > othersP99MsBefore * maxSlowdown + noiseMs;
  return [
    ...(isSlow
      ? [violation('I17', `${stalled} stalled watchers: p99 from ${othersP99MsBefore} to ${othersP99Ms} ms`)]
      : []),
    ...(memoryMiB > stalled * maxMiBPerWatcher + noiseMiB
      ? [violation('I17', `${stalled} stalled watchers cost ${memoryMiB.toFixed(0)} MiB`)]
      : []),
  ];
}

/** I18, from outside: nobody is told anything of another user's session, neither by a call nor in a stream. */
export function checkIsolation({ sessions, history, views }: Evidence): readonly Violation[] {
  const owners = new Map(sessions.map(({ id, uid }) => [id, uid]));
  const mayAnswer = new Set<number>([Code.NotFound, Code.Unavailable, Code.DeadlineExceeded]);
  return [
    ...history.flatMap((entry) =>
      entry.kind === 'probe' && (!mayAnswer.has(entry.code) || entry.leakedBytes > 0)
        ? [violation('I18', `${entry.client} got code ${entry.code} from ${entry.rpc} of session ${entry.sessionId}`)]
        : [],
    ),
    ...views.flatMap(({ client, uid, strangers }) =>
      [...strangers].map((id) => violation('I18', `${client} of ${uid} saw session ${id} of ${owners.get(id)}`)),
    ),
  ];
}

/** I19: the pages of a list, read while it grows, are the list: in order, without gap, from its beginning. */
export function checkPages({ sessions, history }: Evidence): readonly Violation[] {
  const byId = new Map(sessions.map((session) => [session.id, session]));
  return history.flatMap((entry) => {
    if (entry.kind !== 'listed') {
      return [];
    }
    const { firstSeq = 1, lastSeq = 0 } = byId.get(entry.sessionId) ?? {};
    const wrong = entry.seqs.findIndex((seq, index) => seq !== firstSeq + index || seq > lastSeq);
    return wrong === -1
      ? []
      : [violation('I19', `pages of session ${entry.sessionId}: seq ${entry.seqs[wrong]} at place ${wrong + 1}`)];
  });
}

/**
 * I20: every RPC ends by its deadline and a second with a status of the catalogue, and no process exits that nobody has
 * ended. That a status fits its cause is for the services' own tests.
 */
export function checkCalls({ history, exits }: Evidence): readonly Violation[] {
  const late = history.flatMap((entry) => {
    if (entry.kind !== 'call') {
      return [];
    }
    const { rpc, client, tookMs, deadlineMs, code, reason } = entry;
    const isLate = deadlineMs !== undefined && tookMs > deadlineMs + deadlineSlackMs + ownSlackMs;
    const isListed = code === 0 || reason === 'TRANSPORT' || reason in ErrorReason;
    return [
      ...(isLate ? [violation('I20', `${rpc} of ${client} took ${tookMs.toFixed(0)} ms of ${deadlineMs}`)] : []),
      ...(isListed ? [] : [violation('I20', `${rpc} of ${client} ended with ${code} ${reason}`)]),
      ...(reason === 'INTERNAL' ? [violation('I20', `${rpc} of ${client} ended with an error that is a bug`)] : []),
    ];
  });
  const ended = exits
    .filter(({ isMeant }) => !isMeant)
    .map(({ process, code, signal, lastWords }) => {
      return violation('I20', `${process} exited by itself with ${code ?? signal}: ${lastWords.slice(-600)}`);
    });
  return [...late, ...ended];
}
