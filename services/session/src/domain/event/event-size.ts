import type { UnplacedEvent } from './agent-event.ts';

/** What ids, span, time and the like take at most, roughly. */
const fixedBytes = 512;
/** UTF-8 needs at most three bytes for a UTF-16 code unit. */
const bytesPerUnit = 3;

/** How many bytes an event takes on the wire, from above, without encoding it. */
export function bytesAtMost({ data }: UnplacedEvent): number {
  switch (data.case) {
    case 'textDelta':
    case 'reasoningDelta':
    case 'toolCallDelta':
      return fixedBytes + data.value.text.length * bytesPerUnit;
    case 'toolCallEnd':
      return fixedBytes + data.value.argumentsJson.length * bytesPerUnit;
    case 'toolResult': {
      const { content, structuredJson, code, truncated } = data.value;
      const told = structuredJson.length + code.length + (truncated?.fullPath.length ?? 0);
      const units = content.reduce((sum, part) => sum + (part.content.value?.length ?? 0), told);
      return fixedBytes + units * bytesPerUnit;
    }
    case 'outputFile':
      return fixedBytes + (data.value.path.length + data.value.etag.length) * bytesPerUnit;
    default:
      return fixedBytes;
  }
}
