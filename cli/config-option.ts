import type { Command } from 'commander'

/** Adds `--config FILE`, and where its keys are explained. */
export function withConfig(command: Command): Command {
  return command
    .option('--config <file>', 'config file', './edgetape.yaml')
    .addHelpText('after', '\nKeys of the config: edgetape help config')
}

export interface ConfigOption {
  config: string
}
