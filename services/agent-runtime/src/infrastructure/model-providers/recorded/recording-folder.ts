import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badSetting } from '@spanwise/service-kit';
import { decodeRecording, encodeRecording, type Recording } from './recording.ts';

/** How a file of a recording ends. */
const ending = '.jsonl';

/** Writes a recording into a file of its own, whole or not at all. Names sort by when the model was asked. */
export async function writeRecording(folder: string, recording: Recording, id: string): Promise<void> {
  const { provider, askedAtMs, request } = recording.head;
  const time = new Date(askedAtMs).toISOString().replaceAll(/[:.]/g, '-');
  const name = [time, provider, request.model, id].join('_').replaceAll(/[^a-zA-Z0-9_-]/g, '-');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${name}${ending}`);
  // Dialogues are private.
  await writeFile(`${file}.part`, encodeRecording(recording), { mode: 0o600 });
  await rename(`${file}.part`, file);
}

/**
 * The recordings of a file, or of all files of a folder in the order of their names. Throws INVALID_FIELD of
 * `SPANWISE_REPLAY_MODELS` when there are none or one can not be read.
 */
export async function readRecordings(path: string): Promise<readonly Recording[]> {
  const files = await filesOf(path).catch(() => []);
  if (files.length === 0) {
    throw badSetting('SPANWISE_REPLAY_MODELS', `names ${path}, where there are no recordings`);
  }
  const recordings = await Promise.all(
    files.map(async (file) => {
      const recording = decodeRecording(await readFile(file, 'utf8').catch(() => ''));
      if (recording === undefined) {
        throw badSetting('SPANWISE_REPLAY_MODELS', `names ${file}, which is no recording`);
      }
      return recording;
    }),
  );
  return recordings;
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) {
    return [path];
  }
  const names = await readdir(path);
  return names
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => join(path, name));
}
