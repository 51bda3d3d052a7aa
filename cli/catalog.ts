import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'

interface CatalogOptions extends ConfigOption {
  from?: string
  dialect: string
  location?: string
}

export function catalogCommand(): Command {
  return withConfig(
    new Command('catalog')
      .description('the views of edgetape query as plain SQL, for DuckDB, DBeaver, notebooks, Spark and Trino')
      .option('--from <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--dialect <name>', 'duckdb (with the ready views), spark or trino', 'duckdb')
      .option('--location <uri>', 'where the reader finds the folder, if elsewhere, e.g. s3://bucket/edgetape'),
  ).action(catalog)
}

async function catalog({ from, config, dialect, location }: CatalogOptions): Promise<void> {
  const [{ catalogSql }, { freshSettings }, { writeLines }] = await Promise.all([
    import('../reader/query/catalog-sql.js'),
    import('../reader/query/fresh-settings.js'),
    import('./output.js'),
  ])
  const { root } = freshSettings(from, config)
  await writeLines([Buffer.from(await catalogSql(root, dialect, location))], process.stdout)
}
