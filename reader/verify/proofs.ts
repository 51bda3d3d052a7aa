import { bitsProof } from './bits/main.js'
import { nasProof } from './nas.js'
import { parquetProof } from './parquet/main.js'
import type { Proof } from './proof.js'
import { rawProof } from './raw/main.js'

/** Everything that `edgetape verify` can prove, in this order. */
export const proofs: readonly Proof[] = [rawProof, parquetProof, nasProof, bitsProof]
