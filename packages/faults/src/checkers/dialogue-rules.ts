/** A message of a dialogue, reduced to what the rules of strict providers are about. */
export interface DialogueMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** Ids of the calls that it asks for. */
  readonly calls: readonly string[];
  /** Ids of the calls that it answers. */
  readonly answers: readonly string[];
  /** No text, no call, no answer. */
  readonly isEmpty: boolean;
}

/**
 * What is wrong with a dialogue by the rules of strict providers: instructions only first, a user before any assistant,
 * every call answered exactly once and right behind the message that asks for it, nothing else answered, no id used twice,
 * nothing empty. `mayBeOpen`: calls of the last message may wait for their answers.
 */
export function dialogueFaults(messages: readonly DialogueMessage[], mayBeOpen = false): readonly string[] {
  const faults: string[] = [];
  let open = new Set<string>();
  let hasUser = false;
  const used = new Set<string>();
  for (const [index, { role, calls, answers, isEmpty }] of messages.entries()) {
    const say = (what: string) => faults.push(`message ${index} (${role}) ${what}`);
    if (isEmpty) {
      say('is empty');
    }
    if (role === 'system' && index > 0) {
      say('is not the first');
    }
    if (role !== 'tool' && open.size > 0) {
      say(`comes before the answers of ${[...open].join(', ')}`);
      open = new Set();
    }
    if (role === 'assistant' && !hasUser) {
      say('comes before any user');
    }
    hasUser ||= role === 'user';
    for (const id of answers) {
      if (role !== 'tool' || !open.delete(id)) {
        say(`answers ${id}, which is not open`);
      }
    }
    for (const id of calls) {
      if (role !== 'assistant') {
        say(`asks for ${id}`);
      }
      if (used.has(id)) {
        say(`uses the call id ${id} again`);
      }
      used.add(id);
      open.add(id);
    }
  }
  if (open.size > 0 && !mayBeOpen) {
    faults.push(`no answers for ${[...open].join(', ')}`);
  }
  return faults;
}
