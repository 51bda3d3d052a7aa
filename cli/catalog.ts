import { resolve } from 'node:path'
import { Command } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { withConfig, type ConfigOption } from './config-option.js'

interface CatalogOptions extends ConfigOption {
  path?: string
  dialect: string
  location?: string
  out?: string
}

export function catalogCommand(): Command {
  return withConfig(
    new Command('catalog')
      .description('the views of edgetape query as plain SQL, for DuckDB, DBeaver, notebooks, Spark and Trino')
      .option('--path <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--dialect <name>', 'duckdb (with the ready views), spark, trino, ducklake or delta', 'duckdb')
      .option('--out <folder>', 'delta: where its logs and the listing days.jsonl are written')
      .option('--location <uri>', 'where the reader finds the folder, if elsewhere, e.g. s3://bucket/edgetape'),
  ).action(catalog)
}

async function catalog({ path, config, dialect, location, out }: CatalogOptions): Promise<void> {
  const [{ catalogSql }, { freshSettings }, { writeLines }] = await Promise.all([
    import('../reader/query/catalog-sql.js'),
    import('../reader/query/fresh-settings.js'),
    import('./output.js'),
  ])
  const { root } = freshSettings(path, config)
  if (dialect === 'delta' || dialect === 'ducklake')
    return catalogOfFinishedDays(root, dialect, location ?? resolve(root), out)
  await writeLines([Buffer.from(await catalogSql(root, dialect, location))], process.stdout)
}

/** Finished days, as one table each. */
async function catalogOfFinishedDays(
  root: string,
  dialect: 'delta' | 'ducklake',
  location: string,
  out?: string,
): Promise<void> {
  const [{ duckLakeSql, writeDeltaCatalog }, { showProgress }] = await Promise.all([
    import('../reader/finished-days/write-catalog.js'),
    import('../platform/progress-bar.js'),
  ])
  const bar = showProgress('files', 0, 'steps')
  if (dialect === 'ducklake') {
    process.stdout.write(`${await duckLakeSql(root, location, Date.now(), bar.reach).finally(bar.stop)}\n`)
    return
  }
  if (out === undefined)
    throw new EdgeError('CATALOG_DIALECT', 'found no --out, wanted a folder of its own for the logs of Delta tables')
  const { files, days, tables } = await writeDeltaCatalog(root, out, location, Date.now(), bar.reach).finally(bar.stop)
  process.stdout.write(`${days} days, ${files} files\n${tables.map(table => `${table}\n`).join('')}`)
}
