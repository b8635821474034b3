/** The plan of a front out of the settings of a configuration: plain data, every file read already. */
import type {
  BackendOption,
  ClientAuth,
  FrontPlan,
  TerminatorCertificate,
  TerminatorSite,
} from '../../serve/terminator/index.ts'
import type { CertificateSettings, Settings, SiteSettings } from '../config/index.ts'
import type { BackendSettings, ClientAuthSettings } from '../config/settings.ts'

/** Plans a front. `shown` says what a site shows in the place of a certificate whose gate is closed. */
export function planFront(
  settings: Settings,
  shown: (wanted: CertificateSettings, site: SiteSettings) => CertificateSettings,
): FrontPlan {
  const { listeners, alpn, unknownSni, protocol, nats, acceptProxyProtocol, sendProxyProtocol } = settings
  return {
    listeners,
    sites: settings.sites.map((site) => planSite(site, settings, shown)),
    ...(settings.backend && { backend: planBackend(settings.backend) }),
    protocol,
    ...(protocol === 'nats' && { nats }),
    alpn,
    unknownSni,
    acceptProxyProtocol,
    ...(sendProxyProtocol && { sendProxyProtocol }),
    ...settings.timeouts,
    ...settings.limits,
  }
}

function planSite(
  site: SiteSettings,
  settings: Settings,
  shown: (wanted: CertificateSettings, site: SiteSettings) => CertificateSettings,
): TerminatorSite {
  const { names, backend, mode, policies, minVersion, ciphers, ecdhCurve, clientAuth } = site
  return {
    names,
    backend: planBackend(backend),
    mode,
    policies,
    minVersion,
    ...(ciphers !== undefined && { ciphers }),
    ...(ecdhCurve !== undefined && { ecdhCurve }),
    ...(clientAuth && { clientAuth: planClientAuth(clientAuth, settings) }),
    certificates: site.certificates.map((certificate) => planCertificate(shown(certificate, site))),
  }
}

function planClientAuth({ caPem, pinnedKeys, ocspPeer }: ClientAuthSettings, settings: Settings): ClientAuth {
  return {
    ca: caPem,
    ...(pinnedKeys && { pinnedKeys }),
    ...(ocspPeer && {
      // Counted from the end of the handshake: a CA that is slow leaves time for what the policy says of that.
      ocspPeer: {
        ...ocspPeer,
        deadlineMs: settings.timeouts.handshakeTimeoutMs,
        responders: settings.responderRules,
      },
    }),
  }
}

function planCertificate({ chainPem, keyPem, certificateKey }: CertificateSettings): TerminatorCertificate {
  return { chain: chainPem, key: keyPem, certificateKey }
}

function planBackend({ urls, caPem, serverName, isUnverified }: BackendSettings): BackendOption {
  return {
    urls,
    ...(caPem !== undefined && { ca: caPem }),
    ...(serverName !== undefined && { serverName }),
    ...(isUnverified && { isUnverified }),
  }
}
