import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { Role, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { contentHash } from '../../src/checkers/file-calls.ts';
import type { ContextRow, EventRow, Evidence } from '../../src/evidence/evidence.ts';
import { contextRow, eventRow, goodEvidence, run } from './good-evidence.ts';
import {
  file,
  goodFiles,
  goodRollback,
  keptContext,
  layer,
  output,
  path,
  resultRow,
  withEvents,
} from './good-files.ts';

const usage = eventRow(10, { case: 'usage', value: {} }, 2);
const conflict = eventRow(11, { case: 'runError', value: { error: { reason: ErrorReason.PUBLISH_CONFLICT } } }, 2);
const later = { ...file, head: 9 };
const open = { ...layer, state: 'OPEN' } as const;
const nothing = `There is nothing at ${path}.`;

/** A run before the one of the evidence, and the file as it has left it. */
const earlier = { ...run, id: 'earlier', startSeq: 0, requestId: 'script-0' };
const ofEarlier = { ...file, head: 5, hash: contentHash('script-0 wrote this') };

const call = (tool: string, at: string, content?: string): ContextRow => {
  const value = { callId: 'more', tool, argumentsJson: JSON.stringify({ path: at, content }) };
  return contextRow(6, 'more', Role.ASSISTANT, [{ part: { case: 'toolCall', value } }]);
};
const wroteBefore = { ...call('write', path, 'script-0 wrote this'), runId: 'earlier', seq: 0 };

function asked(more: ContextRow, outcome: ToolOutcome, text: string): Partial<Evidence> {
  return { context: [...keptContext, more], events: withEvents(resultRow(9, 'more', outcome, text)) };
}

function read(text: string): readonly EventRow[] {
  return withEvents(resultRow(6, 'reads', ToolOutcome.OK, text));
}

/** The model of another run, which is shown what the run of the evidence was asked. */
const heard = goodEvidence().answers.map((answer) => ({ ...answer, script: 'script-2', heard: ['ript-1'] }));

/** Violations of I21: what is wrong, what is said of it, and the evidence. */
export const fileFaults: readonly (readonly [what: string, sign: string, changes: Partial<Evidence>])[] = [
  ['a layer that is left open', 'its layer has not', goodFiles({ layers: [open], files: [] })],
  ['a layer that is half published', 'its layer has not', goodFiles({ layers: [{ ...layer, state: 'PUBLISHING' }] })],
  ['entries that are left in a layer', '1 entries are left', goodFiles({ layers: [{ ...layer, entries: 1 }] })],
  [
    'a conflict that no error tells of',
    'its layer has not',
    goodFiles({ layers: [{ ...layer, state: 'CONFLICT' }], files: [] }),
  ],
  ['an error that tells of no conflict', 'does not know of', goodFiles({ events: withEvents(conflict) })],
  [
    'a completed run that is dropped',
    'was not rolled back',
    goodFiles({ layers: [{ ...layer, state: 'ROLLED_BACK' }], files: [] }),
  ],
  ['a completed run without its layer', 'was not rolled back', goodFiles({ layers: [], files: [] })],
  ['a file that is not published', `${path} is not published`, goodFiles({ files: [] })],
  [
    'a run that is published by half',
    '/workspace/other is not published',
    goodFiles(asked(call('write', '/workspace/other', 'script-1 wrote it'), ToolOutcome.OK, 'Created it.')),
  ],
  [
    'a run that is published with what it has overwritten',
    'not with what it wrote last',
    goodFiles(asked(call('write', path, 'script-1 wrote more'), ToolOutcome.OK, 'Overwrote it.')),
  ],
  ['a file that is gone', 'ends at change 9', goodFiles({ files: [{ ...file, toHead: 9 }] })],
  ['a file that is published twice', 'published 2 times', goodFiles({ files: [{ ...file, toHead: 9 }, later] })],
  ['a file that nobody has written', 'no run wrote', goodFiles({ files: [{ ...file, hash: 'other' }] })],
  ['a file with other bytes', 'other bytes', goodFiles({ files: [{ ...file, isIntact: false }] })],
  ['versions with a gap', 'the next begins at 9', goodFiles({ files: [{ ...file, toHead: 8 }, later] })],
  [
    'a file that an earlier run has overwritten',
    'which came before run run',
    goodFiles({
      runs: [earlier, run],
      context: [wroteBefore, ...keptContext],
      files: [
        { ...file, toHead: 9 },
        { ...ofEarlier, head: 9 },
      ],
    }),
  ],
  ['an output that is not told of', 'no OUTPUT_FILE', goodFiles({ events: withEvents(usage) })],
  [
    'an output that is told of twice',
    'which it has not published',
    goodFiles({ events: withEvents({ ...output, seq: 9 }) }),
  ],
  [
    'an output that is not published',
    'which it has not published',
    goodFiles({ files: [{ ...file, isOutput: false }] }),
  ],
  ['a run that reads what was never there', 'not nothing', goodFiles({ events: read('1\tother') })],
  ['a run that reads what it writes later', 'not nothing', goodFiles({ events: read('1\tscript-1 wrote this') })],
  [
    'a run that reads something else than the run before has left',
    'not "script-0 wrote this"',
    goodFiles({
      runs: [earlier, run],
      context: [wroteBefore, ...keptContext],
      files: [{ ...ofEarlier, toHead: 7 }, file],
      events: read('1\tother'),
    }),
  ],
  [
    'a run that does not find what it wrote',
    'not "script-1 wrote this"',
    goodFiles(asked(call('read', path), ToolOutcome.ERROR, nothing)),
  ],
  [
    'a rolled back run that is published',
    'its log says that it was rolled back',
    goodRollback(false, { layers: [layer], files: [file] }),
  ],
  ['a rolled back run with files', `${path} is published`, goodRollback(false, { files: [file] })],
  ['a rolled back run that is left open', 'its layer has not', goodRollback(false, { layers: [open] })],
  [
    'a rolled back run that claims to be published',
    'its log says that its files were published',
    goodRollback(true, { layers: [], files: [] }),
  ],
  ['a rolled back run in the context', '5 messages are still', goodRollback(false, { context: keptContext })],
  [
    'a rolled back run that others hear of',
    'heard of it',
    goodRollback(false, { answers: [...goodEvidence().answers, ...heard] }),
  ],
  [
    'a rollback that nobody has asked for',
    'nobody has asked for it',
    goodRollback(false, { runs: [{ ...run, status: 'CANCELLED' }] }),
  ],
  [
    'a completed run that is rolled back',
    'without being cancelled',
    goodRollback(false, { runs: [{ ...run, rollsBack: true }] }),
  ],
  ['a rollback that is not made', 'ended in another way', goodFiles({ runs: [{ ...run, rollsBack: true }] })],
  [
    'a context that is lost',
    '5 messages are out of the context',
    goodFiles({ context: keptContext.map((row) => ({ ...row, supersededAtSeq: 9 })) }),
  ],
];
