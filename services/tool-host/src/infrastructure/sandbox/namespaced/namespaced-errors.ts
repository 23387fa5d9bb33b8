import { DomainError } from '@spanwise/kernel';

/** The files that a command would see are too many. The model works in a subfolder. */
export function viewTooLarge(
  path: string,
  { maxFiles, maxBytes }: { maxFiles: number; maxBytes: number },
): DomainError {
  const most = `${maxFiles} files or ${Math.floor(maxBytes / 1024 / 1024)} MiB`;
  const text = `The command was not run: ${path} has more than ${most}. Run it in a subfolder that has less.`;
  const facts = { path, limit_files: maxFiles, limit_bytes: maxBytes };
  return new DomainError('exhausted', 'FILE_TOO_LARGE', text, { facts });
}
