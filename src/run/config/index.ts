/**
 * The configuration: a file in nats-server's format in, settings or every problem out.
 *
 * grammar.peggy → parse.ts → resolve.ts make a tree; type.ts, keys.ts and survey.ts say what it means; load.ts reads the
 * files it names and puts the settings together.
 */
export { checkConfig, loadConfig } from './load.ts'
export type {
  AdminSettings,
  BackendSettings,
  CertificateSettings,
  ListenerSettings,
  LoadedConfig,
  LoadOptions,
  Notice,
  Settings,
  SiteSettings,
} from './settings.ts'
export { digestOf, type Source } from './source.ts'
