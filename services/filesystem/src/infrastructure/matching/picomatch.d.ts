// The package brings no types. Only tests use it: as the reference for the grammar that it shares with ours.
declare module 'picomatch' {
  function picomatch(pattern: string, options: Readonly<Record<string, boolean>>): (path: string) => boolean;
  export = picomatch;
}
