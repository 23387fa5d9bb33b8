import type { ModelMessage, ModelReply, ModelRequest } from '@spanwise/testing';

/** Text that streams for about two seconds at a delta of 4 characters every 5 ms. */
export const longText = 'All work and no play makes Jack a dull boy. '.repeat(40);

/** Plays the model of the tests: does what the last user message says. */
export function testModel({ messages }: ModelRequest): ModelReply {
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user'));
  const asked = textOf(turn[0]);
  const results = turn.filter(({ role }) => role === 'tool').map(textOf);
  const [, tool, input] = /^call (\S+) (.*)$/s.exec(asked) ?? [];
  if (tool !== undefined && results.length === 0) {
    return { toolCalls: [{ tool, input: input ?? '{}' }] };
  }
  if (tool !== undefined) {
    return { text: `The tool said: ${results.join('; ')}` };
  }
  return { text: asked === 'long' ? longText : `You said: ${asked}. ä😀` };
}

function textOf(message: ModelMessage | undefined): string {
  return typeof message?.content === 'string' ? message.content : '';
}
