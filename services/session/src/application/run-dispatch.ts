import type { SessionId } from '@spanwise/kernel';
import type { LlmContext } from '../domain/context/llm-context.ts';
import type { OpenWork } from '../domain/run/open-work.ts';
import type { Run } from '../domain/run/run.ts';
import type { Dispatch } from './ports/agent-runtime.ts';
import type { Caller } from './ports/caller.ts';
import { sizeGroups } from './size-groups.ts';

/** Messages of the dialogue that one look into the context reads. */
const historyPage = 200;

/** What an executor is told of a run: all that it needs to begin, or to go on where the one before it was lost. */
export function dispatchOf(run: Run, caller: Caller, work: OpenWork, context: LlmContext): Dispatch {
  const { sessionId, id: runId, epoch, attempt, span, options, deadlineAtMs, spec } = run;
  return {
    ...{ sessionId, runId, epoch, attempt, span, options, deadlineAtMs, spec, caller },
    beginAtMs: work.beginMs,
    turns: work.turns,
    results: work.knownResults(),
    answers: work.answers(),
    history: historyOf(run, ['', ...work.openThreads()], context),
  };
}

async function* historyOf({ sessionId }: Run, threadIds: readonly string[], context: LlmContext) {
  for (const threadId of threadIds) {
    for await (const messages of pagesOf(sessionId, threadId, context)) {
      yield { threadId, messages };
    }
  }
}

async function* pagesOf(sessionId: SessionId, threadId: string, context: LlmContext) {
  let afterSeq = 0;
  for (;;) {
    const messages = await context.read(sessionId, afterSeq, historyPage, threadId);
    yield* sizeGroups(
      messages.map(({ payload }) => payload),
      ({ length }) => length,
    );
    afterSeq = messages.at(-1)?.seq ?? afterSeq;
    if (messages.length < historyPage) {
      return;
    }
  }
}
