import { z } from 'zod';

/** Text that can be stored as UTF-8 without loss. `description` is for the model. */
export function wellFormedText(description: string) {
  return z
    .string()
    .refine((text) => text.isWellFormed(), 'it has half of a surrogate pair: write the whole character')
    .describe(`${description} Well-formed Unicode.`);
}
