import { Worker } from 'node:worker_threads';

/** Two states of a name that another thread changes between without pause, as fast as the system lets it. */
export interface Swapper extends AsyncDisposable {
  /** Changes so far. */
  count(): number;
}

/**
 * Starts to swap. `script` is the body of a loop in which `fs` and `step`, which counts up, are known; it leaves the name
 * in one of its states each time.
 */
export async function startSwapping(script: string): Promise<Swapper> {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `const fs = require('node:fs'); const { workerData: shared } = require('node:worker_threads');
     for (let step = 0; Atomics.load(shared, 0) === 0; step += 1) { ${script}; Atomics.add(shared, 1, 1); }`,
    { eval: true, workerData: shared },
  );
  const ended = new Promise<void>((resolve, reject) => {
    worker.once('exit', () => resolve());
    worker.once('error', reject);
  });
  while (Atomics.load(shared, 1) === 0) {
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 5)), ended]);
  }
  return {
    count: () => Atomics.load(shared, 1),
    async [Symbol.asyncDispose]() {
      Atomics.store(shared, 0, 1);
      await ended;
    },
  };
}
