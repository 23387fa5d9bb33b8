import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runGuards } from '../src/domain/run/guards.ts';

const services = fileURLToPath(new URL('../../', import.meta.url));

/** Guards of what comes later: budgets. The model has them already. */
const later = ['reservesBeforeModelCall', 'settlesReservationsInFull'];

test('every guard of the model is named where the code keeps it', () => {
  const files = globSync('*/src/**/*.ts', { cwd: services, exclude: ['**/*.test.ts', '**/guards.ts'] });
  const code = files.map((file) => readFileSync(`${services}/${file}`, 'utf8')).join('\n');
  const missing = Object.keys(runGuards).filter((guard) => !new RegExp(`\\b${guard}\\b`).test(code));
  expect(files.length).toBeGreaterThan(300);
  expect(missing.toSorted()).toEqual(later.toSorted());
});
