import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DomainError } from '@spanwise/kernel';

/**
 * Takes a data folder for this process: only one may use it. The lock is SQLite's own on a file in the folder, which the
 * operating system lets go of however the process ends. Throws when another process has it.
 */
export function lockDataFolder(folder: string): Disposable {
  mkdirSync(folder, { recursive: true });
  const file = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    file.exec('begin exclusive');
  } catch (error) {
    file.close();
    throw new DomainError(
      'precondition',
      'INTERNAL',
      `Another Spanwise process uses ${folder}: stop it, or choose another folder with SPANWISE_DATA_DIR.`,
      { cause: error },
    );
  }
  return { [Symbol.dispose]: () => file.close() };
}
