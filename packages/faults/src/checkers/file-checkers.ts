import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import type { Evidence } from '../evidence/evidence.ts';
import { contentHash, leftBy } from './file-calls.ts';
import { type EndedRun, type FileFacts, fileFacts, historyKey, type PublishedFile } from './file-facts.ts';
import { violation } from './log-checkers.ts';
import type { Violation } from './violation.ts';

/**
 * I21, files: a run that has ended has published all that it wrote, once, or nothing of it. COMPLETED ones are published;
 * the others too, unless they were rolled back or met conflicts. No layer is left open. OUTPUT_FILEs are what was
 * published, and each file is what the last run left there that published it.
 */
export function checkFiles(evidence: Evidence): readonly Violation[] {
  const facts = fileFacts(evidence);
  const ofRuns = facts.ended.flatMap((each) => {
    const layer = each.layer?.state ?? 'none';
    return [...layerFaults(each), ...publishingFaults(each), ...outputFaults(each)].map((what) =>
      violation('I21', `run ${each.run.id} (${each.run.status}, layer ${layer}): ${what}`),
    );
  });
  return [...ofRuns, ...historyFaults(facts).map((what) => violation('I21', what))];
}

/** Whether the layer of a run is in a state that fits its end. */
function layerFaults({ run, layer, calls, events }: EndedRun): readonly string[] {
  const rolledBack = events.flatMap(({ event: { data } }) => (data.case === 'runRolledBack' ? [data.value] : []))[0];
  const hasConflict = events.some(
    ({ event: { data } }) => data.case === 'runError' && data.value.error?.reason === ErrorReason.PUBLISH_CONFLICT,
  );
  const hasWritten = calls.some(({ tool, fate }) => tool === 'write' && fate === 'done');
  const isDropped = rolledBack !== undefined && !rolledBack.filesPublished;
  const isOver = layer?.state === 'PUBLISHED' || layer?.state === 'ROLLED_BACK';
  const faults: string[] = [];
  if (layer?.state === 'CONFLICT' ? !hasConflict : layer !== undefined && !isOver) {
    faults.push('it has ended, and its layer has not');
  }
  if (hasConflict && layer?.state !== 'CONFLICT') {
    faults.push('it has met a conflict that its layer does not know of');
  }
  if (isOver && layer.entries > 0) {
    faults.push(`${layer.entries} entries are left in its layer`);
  }
  if (layer === undefined ? hasWritten : layer.state === 'ROLLED_BACK' && !isDropped) {
    faults.push('what it wrote is not published, and was not rolled back');
  }
  if (rolledBack !== undefined && run.status !== 'CANCELLED') {
    faults.push('it was rolled back without being cancelled');
  }
  if (isDropped && layer?.state === 'PUBLISHED') {
    faults.push('its log says that it was rolled back');
  }
  if (rolledBack?.filesPublished === true && layer?.state !== 'PUBLISHED') {
    faults.push('its log says that its files were published');
  }
  return faults;
}

/** Whether all files of a run are there once if it was published, and none otherwise. */
function publishingFaults({ layer, calls, published }: EndedRun): readonly string[] {
  const byPath = Map.groupBy(published, ({ path }) => path);
  if (layer?.state !== 'PUBLISHED') {
    return [...byPath.keys()].map((path) => `${path} is published`);
  }
  const left = leftBy(calls);
  const wrong = [...byPath].flatMap(([path, [file, ...more]]) => {
    const { sure, perhaps } = left.get(path) ?? { sure: undefined, perhaps: [] };
    const isMeant = [sure, ...perhaps].some((content) => content !== undefined && contentHash(content) === file?.hash);
    return [
      ...(more.length > 0 ? [`${path} is published ${more.length + 1} times`] : []),
      ...(isMeant ? [] : [`${path} is published, and not with what it wrote last`]),
    ];
  });
  const missing = [...left].filter(([path, { sure }]) => sure !== undefined && !byPath.has(path));
  return [...wrong, ...missing.map(([path]) => `${path} is not published`)];
}

/** Whether OUTPUT_FILEs tell what was published; a run that was rolled back tells of none. */
function outputFaults({ events, published }: EndedRun): readonly string[] {
  const told = events.flatMap(({ event: { data } }) =>
    data.case === 'outputFile' ? [`${data.value.path} ${data.value.size} ${data.value.etag}`] : [],
  );
  const isRolledBack = events.some(({ event }) => event.data.case === 'runRolledBack');
  const expected = isRolledBack ? [] : published.filter(({ isOutput }) => isOutput).map(outputOf);
  const missing = expected.filter((output) => !told.includes(output)).map((output) => `no OUTPUT_FILE ${output}`);
  const wrong = told.filter((output, index) => !expected.includes(output) || told.indexOf(output) !== index);
  return [...missing, ...wrong.map((output) => `OUTPUT_FILE ${output}, which it has not published`)];
}

function outputOf({ path, size, hash }: PublishedFile): string {
  return `${path} ${size} ${hash}`;
}

/** Whether versions follow each other as the runs did that wrote them, and the last one is there. */
function historyFaults({ histories }: FileFacts): readonly string[] {
  return [...histories.values()].flatMap((versions) =>
    versions.flatMap((file, index) => {
      const [before, next] = [versions[index - 1], versions[index + 1]];
      const at = `${historyKey(file)} at change ${file.head}`;
      const isLater = before === undefined || (before.run?.startSeq ?? 0) < (file.run?.startSeq ?? 0);
      return [
        ...(file.run === undefined ? [`${at} has a content that no run wrote`] : []),
        ...(file.isIntact ? [] : [`${at} has other bytes than its hash says`]),
        ...(isLater ? [] : [`${at} is of run ${file.run?.id}, which came before run ${before.run?.id}`]),
        ...(file.toHead === next?.head
          ? []
          : [`${at} ends at change ${file.toHead}, the next begins at ${next?.head}`]),
      ];
    }),
  );
}
