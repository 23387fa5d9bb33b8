import { createHash } from 'node:crypto';
import type { StartChecksum } from '../../application/ports/checksum.ts';

export const startSha256: StartChecksum = () => {
  const hash = createHash('sha256');
  return {
    add: (data) => {
      hash.update(data);
    },
    hex: () => hash.digest('hex'),
  };
};
