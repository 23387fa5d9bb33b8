import fc from 'fast-check';
import type { AgentEvent, UnplacedEvent } from '../../src/domain/event/agent-event.ts';
import { deltaOf } from '../../src/domain/event/delta.ts';
import {
  assistantMessage,
  brief,
  callDelta,
  callEnd,
  callStart,
  result,
  spanEnd,
  spanStart,
  textDelta,
  textEnd,
  textStart,
} from './said.ts';

/** What an executor may say next. */
export type Said =
  | { readonly kind: 'write'; readonly block: number; readonly text: string }
  | { readonly kind: 'end'; readonly block: number }
  | { readonly kind: 'call'; readonly isAnswered: boolean }
  | { readonly kind: 'span' };

const text = fc.stringMatching(/^[aé語😀"\\]{1,12}$/u);
const block = fc.nat({ max: 2 });
const kind = <Kind extends string>(name: Kind) => fc.constant(name);

/** Weighted choices, to be mixed with what else may happen. */
export const sayings: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Said> }[] = [
  { weight: 6, arbitrary: fc.record({ kind: kind('write'), block, text }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('write'), block, text: text.map((each) => each.repeat(200)) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('end'), block }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('call'), isAnswered: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('span') }) },
];

/** Turns steps into what a well-behaved executor says: blocks are opened before they are written and ended once. */
export class Speaker {
  readonly #open = new Map<number, { id: string; length: number }>();
  readonly #prefix: string;
  #made = 0;

  /** What is said by speakers with different prefixes is different. */
  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  says(each: Said): readonly UnplacedEvent[] {
    switch (each.kind) {
      case 'write':
        return this.#write(each.block, each.text);
      case 'end':
        return this.#end(each.block);
      case 'call': {
        const id = this.#name('call');
        const asked = [
          callStart(id, `m-${id}`),
          callDelta(id, 0, '{"ä"'),
          callDelta(id, 5, ':1}'),
          callEnd(id, '{"ä":1}'),
        ];
        return [...asked, assistantMessage(`m-${id}`), ...(each.isAnswered ? [result(id)] : [])];
      }
      case 'span': {
        const id = this.#name('span');
        return [spanStart(id), spanEnd(id)];
      }
    }
  }

  #write(index: number, said: string): readonly UnplacedEvent[] {
    const open = this.#open.get(index) ?? { id: this.#name('block'), length: 0 };
    const isNew = !this.#open.has(index);
    const delta = textDelta(open.id, open.length, said);
    this.#open.set(index, { id: open.id, length: open.length + Buffer.byteLength(said) });
    return isNew ? [textStart(open.id), delta] : [delta];
  }

  #end(index: number): readonly UnplacedEvent[] {
    const open = this.#open.get(index);
    this.#open.delete(index);
    return open === undefined ? [] : [textEnd(open.id, open.length), assistantMessage(`m-${open.id}`)];
  }

  #name(kind: string): string {
    this.#made += 1;
    return `${this.#prefix}${kind}-${this.#made}`;
  }
}

/** Lets promises go on for a while, without the rest of the process. */
export async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await Promise.resolve();
  }
}

/** What stays of an event when its text is left out because it was carried before. */
export function withoutText({ seq, data }: AgentEvent): string {
  const delta = deltaOf(data);
  return delta === undefined ? brief({ seq, data }) : `${seq} ${data.case} ${delta.blockId}+${delta.offset}`;
}
