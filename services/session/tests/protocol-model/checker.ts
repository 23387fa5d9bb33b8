/** Offers one step: what is done, by or to whom, and the change. A change that answers false was not possible after all. */
export type Take<State> = (action: string, detail: string | number, change: (next: State) => unknown) => void;

/** A system as states and steps. States are plain data without cycles. */
export interface Model<State> {
  readonly initial: State;
  /** Offers every step that is possible in the state, which it does not change. */
  steps(state: State, take: Take<State>): void;
  /** What is wrong with a state; undefined when every invariant holds. */
  broken(state: State): string | undefined;
  /** Whether nothing is owed in the state. From every state such a one must be reachable by steps that are not `outside`. */
  isSettled(state: State): boolean;
  /** Actions of clients, of luck and of faults: they may happen, and nothing may depend on them. */
  readonly outside: ReadonlySet<string>;
  /** Brings states that differ only in the names of equal processes to one form, in place. */
  canonicalise?(state: State): void;
}

/** A wrong state and the shortest way there. */
export interface Violation {
  readonly what: string;
  readonly trace: readonly string[];
}

export interface Search {
  readonly states: number;
  readonly steps: number;
  /** Times that each kind of action was taken. */
  readonly actions: ReadonlyMap<string, number>;
  readonly violation: Violation | undefined;
}

/** More states than any configuration has: a model that grows without bound fails instead of filling the memory. */
const maxStates = 600_000;

/** What is known of the states, by their number in order of discovery. */
class Graph<State> {
  readonly #numbers = new Map<string, number>();
  readonly states: (State | undefined)[] = [];
  readonly #parents: number[] = [];
  readonly #labels: string[] = [];
  /** Steps on which progress may rely. */
  readonly edgesFrom: number[] = [];
  readonly edgesTo: number[] = [];

  /** The number of a state, which may be a new one. */
  add(state: State, parent: number, action: string, detail: string | number): number {
    const key = keyOf(state);
    const known = this.#numbers.get(key);
    if (known !== undefined) {
      return known;
    }
    const number = this.states.length;
    this.#numbers.set(key, number);
    this.states.push(state);
    this.#parents.push(parent);
    this.#labels.push(`${action} ${detail}`);
    return number;
  }

  trace(number: number): string[] {
    const labels: string[] = [];
    for (let at = number; at > 0; at = this.#parents[at] ?? 0) {
      labels.push(this.#labels[at] ?? '');
    }
    return labels.reverse();
  }

  /** The first state from which none of `goals` can be reached; undefined when there is none. */
  firstWithout(goals: readonly number[]): number | undefined {
    const count = this.states.length;
    const starts = new Uint32Array(count + 2);
    for (const to of this.edgesTo) {
      starts[to + 2] = (starts[to + 2] ?? 0) + 1;
    }
    for (let at = 1; at < starts.length; at += 1) {
      starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0);
    }
    const sources = new Uint32Array(this.edgesTo.length);
    this.edgesTo.forEach((to, edge) => {
      const place = starts[to + 1] ?? 0;
      sources[place] = this.edgesFrom[edge] ?? 0;
      starts[to + 1] = place + 1;
    });
    const reaches = new Uint8Array(count);
    const open = [...goals];
    goals.forEach((goal) => {
      reaches[goal] = 1;
    });
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const source of sources.subarray(starts[at], starts[at + 1])) {
        if (reaches[source] === 0) {
          reaches[source] = 1;
          open.push(source);
        }
      }
    }
    const without = reaches.indexOf(0);
    return without === -1 ? undefined : without;
  }
}

/**
 * Searches every reachable state of a model, nearest first, and stops at the first that is broken: its trace is a shortest
 * one. When none is, looks for a state from which no settled one can be reached.
 */
export function search<State>(model: Model<State>): Search {
  const graph = new Graph<State>();
  const actions = new Map<string, number>();
  const settled: number[] = [];
  let steps = 0;
  const result = (violation?: Violation): Search => ({ states: graph.states.length, steps, actions, violation });
  const found = (what: string, number: number) => result({ what, trace: graph.trace(number) });
  graph.add(copy(model.initial), 0, '', '');
  for (let at = 0; at < graph.states.length; at += 1) {
    const state = graph.states[at] as State;
    const broken = model.broken(state);
    if (broken !== undefined) {
      return found(broken, at);
    }
    if (model.isSettled(state)) {
      settled.push(at);
    }
    model.steps(state, (action, detail, change) => {
      const next = copy(state);
      if (change(next) === false) {
        return;
      }
      model.canonicalise?.(next);
      actions.set(action, (actions.get(action) ?? 0) + 1);
      steps += 1;
      const to = graph.add(next, at, action, detail);
      if (!model.outside.has(action)) {
        graph.edgesFrom.push(at);
        graph.edgesTo.push(to);
      }
    });
    // Only its key is needed from now on.
    graph.states[at] = undefined;
    if (graph.states.length > maxStates) {
      return found(`more than ${maxStates} states`, at);
    }
  }
  const stuck = graph.firstWithout(settled);
  return stuck === undefined ? result() : found('stuck: no settled state can be reached', stuck);
}

/** A violation for whoever reads a failed test. */
export function explained(violation: Violation | undefined): string {
  const trace = violation?.trace.map((label, index) => `${index + 1}. ${label.trim()}`) ?? [];
  return violation === undefined ? 'no violation' : [`${violation.what} after:`, ...trace].join('\n');
}

/** The values of a state in order: the names of its fields are the same in all states. */
function keyOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') {
    return `${value}`;
  }
  if (typeof value !== 'object' || value === null) {
    return value === true ? '+' : '-';
  }
  let key = '';
  for (const part of Array.isArray(value) ? value : Object.values(value)) {
    key += `${keyOf(part)};`;
  }
  return Array.isArray(value) ? `[${key}]` : key;
}

function copy<Value>(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(copy) as Value;
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const copied = { ...value };
  for (const key in copied) {
    if (typeof copied[key] === 'object') {
      copied[key] = copy(copied[key]);
    }
  }
  return copied;
}
