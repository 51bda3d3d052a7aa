/** WebAssembly as far as it is used; the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

/** Compiles a program that imports nothing; each call of what is returned begins it anew, with a memory of its own. */
export function wasmProgram(bytes: Uint8Array): () => unknown {
  const module = new WebAssembly.Module(bytes)
  return () => new WebAssembly.Instance(module, {}).exports
}
