/** Tells the model that what it sees is not all: disks that are optional could not be reached. Empty when none is missing. */
export function partialNotice(sources: readonly string[]): string[] {
  return sources.length === 0
    ? []
    : [`[Without what is on ${sources.join(' and ')}, which can not be reached at the moment.]`];
}
