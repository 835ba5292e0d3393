"""The units under which systemd runs a site: the daemon, and what lets go when the daemon stays dead. Pure text."""

from __future__ import annotations

from dataclasses import dataclass

from controller.cli.arguments import Exit

# Beyond the time that letting go may take: fresh connections before it, history and files after it.
STOP_MARGIN_S = 60
# The shortest time without a scan after which systemd restarts the daemon, and in how many scan periods.
WATCHDOG_S = 30
WATCHDOG_PERIODS = 10
# Ten times an hour; after the third the daemon itself stays with the original controls.
STARTS_AN_HOUR = 10
RESTART_AFTER_S = 10
RELEASE_AGAIN_AFTER_S = 60


@dataclass(frozen=True, slots=True)
class Deployment:
    """instance: what stands behind the @. folder, program: absolute. stop_within, watchdog: seconds.

    uses_serial: it opens serial lines. needs_home: the site or the program lives in somebody's home.
    environment: what the program is to find there, such as TIDEWATT_CONFIG=/opt/tidewatt/config.
    """

    instance: str
    folder: str
    program: str
    user: str
    stop_within: int
    watchdog: int
    uses_serial: bool
    needs_home: bool = False
    environment: tuple[str, ...] = ()


GENERIC = Deployment(
    instance="%i",
    folder="/var/lib/tidewatt/%i",
    program="/opt/tidewatt/bin/tidewatt",
    user="tidewatt",
    stop_within=15 * 60,
    watchdog=WATCHDOG_S,
    uses_serial=True,
)
"""What deploy/ holds: for any site, where `tidewatt service` has not been asked."""


def units(site: Deployment) -> dict[str, str]:
    """File name to content."""
    behind = "" if site.instance == "%i" else site.instance
    return {
        f"tidewatt@{behind}.service": daemon_unit(site),
        f"tidewatt-release@{behind}.service": release_unit(site),
    }


def daemon_unit(site: Deployment) -> str:
    never_again = f"{Exit.CONFIGURATION:d} {Exit.ENVIRONMENT:d} {Exit.NOT_RELEASED:d}"
    return f"""\
# Made by: tidewatt service
[Unit]
Description=Tidewatt, {site.instance}
Wants=network-online.target
# Stopping goes the other way round: the network is still there while everything is let go.
After=network-online.target time-sync.target
# Once it stays down, somebody else lets go of what it left. Between two starts nobody does: the next start adopts it.
OnFailure=tidewatt-release@{site.instance}.service
Conflicts=tidewatt-release@{site.instance}.service
After=tidewatt-release@{site.instance}.service
StartLimitIntervalSec=1h
StartLimitBurst={STARTS_AN_HOUR}

[Service]
# Ready after its first scan; told alive only while scans go on.
Type=notify
NotifyAccess=main
WatchdogSec={site.watchdog}
ExecStart={site.program} run {site.folder}
# `systemctl reload`: the changed files are checked and taken, or refused with an alarm; the control goes on.
ExecReload=/bin/kill -HUP $MAINPID
# Letting go takes as long as the site declares (release_within); the daemon asks for more where it needs more.
TimeoutStopSec={site.stop_within}
TimeoutStartSec=2min
TimeoutAbortSec=20
# Only the daemon is asked to stop; a plan that is being made ends with it.
KillMode=mixed
Restart=on-failure
RestartSec={RESTART_AFTER_S}
# 1 and signals: again. 2 configuration, 3 lock or disk, 4 stopped with something still held: a person is needed.
RestartPreventExitStatus={never_again}
# systemd 254 and later; without it these would run OnFailure= before every restart. Earlier ones say "unknown key".
RestartMode=direct
{_surroundings(site)}
[Install]
WantedBy=multi-user.target
"""


def release_unit(site: Deployment) -> str:
    never_again = f"{Exit.CONFIGURATION:d} {Exit.ENVIRONMENT:d}"
    return f"""\
# Made by: tidewatt service
[Unit]
Description=Tidewatt, {site.instance}: let go of what a dead daemon left
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart={site.program} release {site.folder}
TimeoutStartSec={site.stop_within}
# What could not be let go because a device was away is tried until it is back, or until the daemon is started.
Restart=on-failure
RestartSec={RELEASE_AGAIN_AFTER_S}
RestartPreventExitStatus={never_again}
{_surroundings(site)}"""


def _surroundings(site: Deployment) -> str:
    """What both may see and do: their site's folder, the network, serial lines if there are any, and nothing else."""
    environment = "".join(f"Environment={each}\n" for each in site.environment)
    return f"""\

User={site.user}
UMask=0077
# What site files refer to as !env NAME; readable by root only.
EnvironmentFile=-/etc/tidewatt/{site.instance}.env
{environment}ReadWritePaths={site.folder}
ProtectSystem=strict
ProtectHome={"read-only" if site.needs_home else "yes"}
PrivateTmp=yes
{_devices(site)}NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
# netlink: what the C library asks for the machine's own addresses.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
# Beyond those of ordinary services: asking the kernel whether a time server keeps the clock. Setting it takes a right.
SystemCallFilter=@system-service adjtimex clock_adjtime clock_adjtime64
SystemCallErrorNumber=EPERM
SystemCallArchitectures=native
LockPersonality=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# A core file would hold the passwords of the devices.
LimitCORE=0
"""


def _devices(site: Deployment) -> str:
    if not site.uses_serial:
        return "PrivateDevices=yes\n"
    # By kind and not by name: an adapter that is pulled out comes back under another number.
    kinds = "".join(f"DeviceAllow=char-{kind} rw\n" for kind in ("ttyS", "ttyUSB", "ttyACM", "ttyAMA"))
    return f"# Serial lines.\nSupplementaryGroups=dialout\nDevicePolicy=closed\n{kinds}"
