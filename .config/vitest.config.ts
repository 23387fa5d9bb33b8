import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export default defineConfig({
  root,
  test: {
    globalSetup: ['.config/vitest.global-setup.ts'],
    reporters: ['default', './.config/count-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          // Pure code without state in modules: sharing them halves the time.
          isolate: false,
          root,
          include: ['{packages,services}/*/src/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          root,
          include: ['{packages,services}/*/tests/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
