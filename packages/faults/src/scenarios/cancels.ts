import { CancelResult } from '@spanwise/contracts/spanwise/session/v1/session';
import type { RecordedClient } from '../clients/recorded-client.ts';
import type { LoadRun } from './load.ts';
import type { ScenarioContext } from './scenario.ts';

export interface CancelOptions {
  /** The replica that is asked; undefined = any. */
  readonly replica?: number;
  /** Whether the answer is to wait for the end. */
  readonly wait?: boolean;
}

/** What `wait` may take, and a little. */
const waitDeadlineMs = 20_000;

/** Cancels a run through another caller than the one that follows it; says so in the history once it was answered. */
export async function cancelRun(context: ScenarioContext, run: LoadRun, options: CancelOptions = {}): Promise<void> {
  const runId = await run.runId;
  using client = context.client(run.client.uid, options.replica);
  await cancelBy(client, run.sessionId, runId, options.wait ?? false);
}

/** Asks until it is answered: asking again changes nothing. */
export async function cancelBy(client: RecordedClient, sessionId: string, runId: string, wait: boolean): Promise<void> {
  const askedAtMs = Date.now();
  const { result, receipt } = await client.insist(
    wait ? 'CancelRun(wait)' : 'CancelRun',
    (sessions, options) => sessions.cancelRun({ sessionId, runId, wait, reason: 'faults' }, options),
    wait ? waitDeadlineMs : undefined,
  );
  client.history.add({
    ...{ kind: 'cancelled', client: client.name, sessionId, runId, isWaited: wait, askedAtMs },
    isAccepted: result === CancelResult.ACCEPTED,
    receipt: receipt.map(({ name, outcome }) => ({ name, outcome })),
  });
}
