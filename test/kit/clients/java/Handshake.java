import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * One handshake by JSSE, and what it saw, as `key: value` lines.
 *
 * Arguments: port, host name, file of roots, protocol or -, cipher suites with commas or -, check: `staple` or `switches`.
 * With `staple` the leaf must come with a staple that says good: where Java would ask for one, nobody listens. With
 * `switches` Java checks as its own system properties say.
 */
public class Handshake {
  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    String name = args[1];
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    try (InputStream file = new FileInputStream(args[2])) {
      for (var root : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
        roots.setCertificateEntry("root" + roots.size(), root);
      }
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    if (args[5].equals("staple")) {
      PKIXRevocationChecker checker =
          (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
      checker.setOptions(
          EnumSet.of(PKIXRevocationChecker.Option.ONLY_END_ENTITY, PKIXRevocationChecker.Option.NO_FALLBACK));
      checker.setOcspResponder(new URI("http://127.0.0.1:1/"));
      PKIXBuilderParameters parameters = new PKIXBuilderParameters(roots, new X509CertSelector());
      parameters.addCertPathChecker(checker);
      trust.init(new CertPathTrustManagerParameters(parameters));
    } else {
      Security.setProperty("ocsp.enable", "true");
      trust.init(roots);
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);

    try (Socket plain = new Socket()) {
      plain.connect(new InetSocketAddress("127.0.0.1", port), 10_000);
      plain.setSoTimeout(10_000);
      SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, name, port, true);
      if (!args[3].equals("-")) socket.setEnabledProtocols(new String[] {args[3]});
      if (!args[4].equals("-")) socket.setEnabledCipherSuites(args[4].split(","));
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setServerNames(List.of(new SNIHostName(name)));
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      socket.setSSLParameters(parameters);
      try {
        socket.startHandshake();
      } catch (Exception refusal) {
        for (Throwable cause = refusal; cause != null; cause = cause.getCause()) {
          System.out.println("refused: " + cause);
        }
        System.exit(1);
      }
      ExtendedSSLSession session = (ExtendedSSLSession) socket.getSession();
      X509Certificate shown = (X509Certificate) session.getPeerCertificates()[0];
      System.out.println("protocol: " + session.getProtocol());
      System.out.println("cipherSuite: " + session.getCipherSuite());
      System.out.println("serialNumber: " + shown.getSerialNumber().toString(16));
      System.out.println("keyType: " + shown.getPublicKey().getAlgorithm());
      for (byte[] staple : session.getStatusResponses()) {
        System.out.println("staple: " + HexFormat.of().formatHex(staple));
      }
    }
  }
}
