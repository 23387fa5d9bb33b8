import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GrepResponseSchema } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import type { GrepEvent, GrepMatch } from '../application/grep.ts';
import { toGrepMatch } from './view-mapping.ts';

type GrepMessage = MessageInitShape<typeof GrepResponseSchema>;

/** Characters of a message at which it is sent; far below the limit of messages with any context. */
const fullCharacters = 64 * 1024;

/** Whatever matches are ready go together into one message; none waits for one that is not found yet. */
export async function* grepMessages(events: AsyncGenerator<GrepEvent>): AsyncGenerator<GrepMessage> {
  try {
    let next = events.next();
    let matches: GrepMatch[] = [];
    let characters = 0;
    for (;;) {
      const ready = matches.length === 0 ? await next : await Promise.race([next, nextTurn()]);
      if (ready === undefined || characters >= fullCharacters) {
        yield { matches: matches.map(toGrepMatch) };
        matches = [];
        characters = 0;
        continue;
      }
      if (ready.done === true) {
        return;
      }
      if (ready.value.type === 'summary') {
        const { isTruncated: truncated, partialSources, ...counts } = ready.value.summary;
        const summary = { ...counts, truncated, partialSources: [...partialSources] };
        yield { matches: matches.map(toGrepMatch), summary };
        return;
      }
      matches.push(ready.value.match);
      characters += charactersOf(ready.value.match);
      next = events.next();
    }
  } finally {
    await events.return(undefined);
  }
}

function charactersOf({ text, before, after }: GrepMatch): number {
  return [text, ...before, ...after].reduce((sum, line) => sum + line.length, 0);
}

/** Resolves when everything that is ready by now had its turn. */
function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}
