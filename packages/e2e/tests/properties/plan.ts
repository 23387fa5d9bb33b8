/** What the model does in a turn, after its text; the turn after the last one has only text, and ends the run. */
export const turns = ['ask', 'ask-two', 'write', 'list-and-ask'] as const;
export type Turn = (typeof turns)[number];

/** What a run is to do, told to the model in the input of the run. */
export interface Plan {
  /** Name of the run, unique in the process. */
  readonly tag: string;
  readonly turns: readonly Turn[];
}

/** The input of a run that follows a plan. */
export function inputOf({ tag, turns }: Plan): string {
  return `[${tag}:${turns.join(',')}]`;
}

/** The last plan of a text: runs that were cancelled leave their input in the same message. */
export function readPlan(text: string): Plan {
  const [, tag = '', list = ''] = [...text.matchAll(/\[([^\]:]+):([^\]]*)\]/g)].at(-1) ?? [];
  return { tag, turns: list.split(',').filter((turn): turn is Turn => turns.some((known) => known === turn)) };
}

/** What the model says in a turn: so much that each half of it is stored in several chunks. */
export function textOfTurn(tag: string, index: number): string {
  return `Turn ${index} of ${tag}: grüßt 😀, and goes on. `.repeat(110).trim();
}

/** Whether a turn asks the user. */
export function asks(turn: Turn): boolean {
  return turn !== 'write';
}
