/** A message as the broker brings it, in the words by which it is published again: same subject, same reply, same bytes. */
export interface BrokerMessage {
  readonly subject: string;
  readonly publish: string;
}

/** What was understood of what the broker said; bytes as latin1 text. */
export interface BrokerSpeech {
  readonly messages: readonly BrokerMessage[];
  readonly isPinged: boolean;
  /** The beginning of something whose rest has not come yet. */
  readonly rest: string;
}

const lineEnd = '\r\n';

/** Reads the protocol of NATS as far as messages and pings go. */
export function readBroker(said: string): BrokerSpeech {
  const messages: BrokerMessage[] = [];
  let isPinged = false;
  let at = 0;
  for (let end = said.indexOf(lineEnd); end !== -1; end = said.indexOf(lineEnd, at)) {
    // `[H]MSG subject subscription [reply] [header bytes] bytes`
    const [verb = '', subject = '', , ...sizes] = said.slice(at, end).split(' ');
    const bodyAt = end + lineEnd.length;
    const isMessage = verb === 'MSG' || verb === 'HMSG';
    const bodyEnd = isMessage ? bodyAt + Number(sizes.at(-1)) + lineEnd.length : bodyAt;
    if (bodyEnd > said.length) {
      break;
    }
    if (isMessage) {
      const publish = `${verb.replace('MSG', 'PUB')} ${subject} ${sizes.join(' ')}${lineEnd}${said.slice(bodyAt, bodyEnd)}`;
      messages.push({ subject, publish });
    }
    isPinged ||= verb === 'PING';
    at = bodyEnd;
  }
  return { messages, isPinged, rest: said.slice(at) };
}
