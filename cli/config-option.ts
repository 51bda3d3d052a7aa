import type { Command } from 'commander'
import { configHelp } from '../config/keys.js'

/** Adds `--config FILE`, and every config key to the help. */
export function withConfig(command: Command): Command {
  return command
    .option('--config <file>', 'config file', './edgetape.yaml')
    .addHelpText('after', () => `\n${configHelp()}`)
}

export interface ConfigOption {
  config: string
}
