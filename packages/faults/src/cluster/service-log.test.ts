import { expect, test } from 'vitest';
import { ServiceLog, sumCounts } from './service-log.ts';

test('counts lines that come in pieces, and keeps the last words', () => {
  const log = new ServiceLog();
  log.accept('{"level":30,"msg":"run taken for an');
  log.accept('other attempt"}\n{"level":50,"reason":"FENCED"}\nplain');
  expect(log.counts).toMatchObject({ takeOvers: 1, fenceRefusals: 1, errors: 1, leasesLost: 0 });
  expect(log.lastWords.endsWith('plain')).toBe(true);
  expect(sumCounts([log.counts, log.counts]).takeOvers).toBe(2);
});
