"""What the conditions of a ComputeNode give as their reasons."""

from .reason import Reason, ReasonTable

REACHABLE = ReasonTable(
    "ComputeNode",
    "Reachable",
    "Whether the member's API server answers the hub, and is the node's own.",
    (
        Reason("Connected", "It answers."),
        Reason("Connecting", "The hub has just started, or the node has just come.", "Wait some seconds."),
        Reason(
            "SecretNotFound",
            "The Secret, or the key in it, is not in the hub's namespace.",
            "Create it in `isthmus-system`; see `spec.access.kubeConfig.secretRef`.",
        ),
        Reason(
            "InvalidKubeConfig",
            "The Secret holds no kubeconfig that can be used; the message says what is wrong.",
            "Make a new one.",
            see="add-a-member.md#make-a-kubeconfig",
        ),
        Reason(
            "Unreachable",
            "No connection: refused, reset, or no such host.",
            "Check the address in the kubeconfig and the network between hub and member.",
        ),
        Reason(
            "Timeout",
            "No answer within 10 seconds.",
            "Check that the API server is up and that no firewall drops packets.",
        ),
        Reason(
            "TLSError",
            "The certificate is not trusted, has expired, or is another host's.",
            "Check `certificate-authority-data`, `tls-server-name`, and both clocks.",
        ),
        Reason(
            "UnexpectedAnswer",
            "Something answers, but not as a Kubernetes API does.",
            "Check the address; a proxy or another service may stand there.",
        ),
        Reason(
            "Unauthorized",
            "The member does not know the token or certificate, or it has expired.",
            "Make a new kubeconfig and replace the Secret's content.",
        ),
        Reason(
            "Forbidden",
            "The member knows it, and does not allow something; the message names what.",
            "Apply `deploy/member.yaml` in the member.",
        ),
        Reason(
            "NotFound", "The API server lacks something that every cluster has.", "Read the message; check the address."
        ),
        Reason(
            "NamespaceTerminating",
            "In the hub, the namespace `isthmus-node-<name>` is still being deleted.",
            "Wait; if it stays so, see what holds the namespace.",
        ),
        Reason(
            "Invalid",
            "The API server refuses a request as malformed, or in the hub somebody else has a namespace `isthmus-"
            "node-<name>`.",
            "Read the message.",
        ),
        Reason("TooManyRequests", "The API server asks for patience.", "Wait; see what else loads it."),
        Reason("ServerFailure", "The API server, or something before it, failed.", "See its log."),
        Reason("PointsAtHub", "The kubeconfig leads to the hub itself.", "Use `access.local`."),
        Reason("DuplicateMember", "Another ComputeNode is this cluster already.", "Delete one of the two."),
        Reason(
            "DuplicateIdentity",
            "An older ComputeNode has the same `spec.identity.code`.",
            "Give one of them a code of its own; that takes a new ComputeNode.",
        ),
        Reason(
            "MemberChanged",
            "The kubeconfig leads to another cluster than the one where jobs of this node stand.",
            "Give back the former one, or delete those jobs.",
        ),
        Reason("InternalError", "The hub failed on this node.", "See the hub's log, and report it."),
    ),
)
READY = ReasonTable(
    "ComputeNode",
    "Ready",
    "Whether the member is reached, its figures are followed, and work can be sent to it. Where it is not Reachable, "
    "it has that reason. Besides:",
    (
        Reason("Ready", "All is well."),
        Reason("NoProfile", "The member's machines and pods are not listed yet.", "Wait some seconds."),
        Reason(
            "ImpossibleProfile",
            "The member's figures can't be, such as more free than there is; the message says which. Nothing is placed "
            "by its older ones either.",
            "See what the member's Nodes say of themselves. Its next good figures bring the node back by themselves.",
        ),
        Reason(
            "SpecNotUnderstood",
            "This version of the hub can't read the ComputeNode; another version may have written it.",
            "Mend the fields that the message names, or run the hub that they are for.",
        ),
        Reason(
            "DispatchesRefused",
            "The hub's API server refuses Dispatches for the node; the message says why.",
            "Run `helm upgrade` anew; leave the namespaces `isthmus-node-*` alone.",
        ),
        Reason(
            "Deleting",
            "The node is being removed; the message says what that waits for.",
            "Wait for what is named, or delete those jobs.",
            see="nodes.md#cordon-drain-and-remove",
        ),
    ),
)
SCHEDULABLE = ReasonTable(
    "ComputeNode",
    "Schedulable",
    "Whether new jobs may be placed here. Where it is not Ready or its PriceCurrent is False, it has that reason. "
    "Besides:",
    (
        Reason("Schedulable", "They may."),
        Reason("Cordoned", "`spec.schedulingState` is Cordoned.", "Set it to Active."),
        Reason(
            "Drained",
            "`spec.schedulingState` is Drained: no new jobs come, and those here are moved away.",
            "Set it to Active.",
        ),
        Reason(
            "NotOfferedNow",
            "No window of `spec.offer` is open; the message says when the next one is.",
            "Wait, or change `spec.offer.windows`.",
            see="placement.md#offers",
        ),
    ),
)
FIGURES_CURRENT = ReasonTable(
    "ComputeNode",
    "FiguresCurrent",
    "Whether what the node states of its energy and network is in force; there only where it states any. By what is "
    "not in force nothing is decided.",
    (
        Reason("Current", "All of it is."),
        Reason(
            "NotInForce",
            "Something is not; the message names each figure, and since or from when.",
            "State it anew, with another `validUntil`; an egress price in the hub's currency.",
            see="placement.md#validity",
        ),
    ),
)
PRICE_CURRENT = ReasonTable(
    "ComputeNode",
    "PriceCurrent",
    "Whether a tariff is in force.",
    (
        Reason("Current", "It is."),
        Reason("NoTariff", "There is none.", "Set `spec.tariff`.", see="nodes.md#tariff"),
        Reason("CurrencyMismatch", "It is in another currency than the hub bills in.", "State it in the hub's."),
        Reason("NotYetValid", "Its `validFrom` is still to come.", "Wait, or set an earlier one."),
        Reason("Expired", "Its `validUntil` is over.", "Put in a new version."),
    ),
)
