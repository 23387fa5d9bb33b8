/** COM_QUERY in the protocol of MySQL; it follows the four bytes of a packet's header. */
const query = 3;
/** A commit is shorter, also with the few bytes that newer servers ask for before the text. */
const maxBytes = 24;

/** Whether what goes to the database is the statement `commit` and nothing else. */
export function isCommit(packet: Buffer): boolean {
  return packet[4] === query && packet.length <= maxBytes && packet.toString('latin1').toLowerCase().endsWith('commit');
}
