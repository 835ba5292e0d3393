"""The mutations of `make mutations`: one guard rule, one release, one verdict, one gate disabled at a time.

Each replaces a text that occurs exactly once in its file and names the smallest tests that have to notice it, the
quickest first. What survives is a missing test, or a line that nobody needs.
"""

from __future__ import annotations

from typing import NamedTuple

GUARD_TESTS = ("tests/unit/core/test_guard.py", "tests/property/test_guard.py")
EXCLUSION_TESTS = ("tests/unit/core/test_exclusion.py", "tests/property/test_guard.py")
WEAR_TESTS = ("tests/unit/core/test_wear.py",)
COMMAND_TESTS = ("tests/unit/core/test_command.py",)
LEDGER_TESTS = ("tests/unit/core/test_ledger.py",)
CONTROL_TESTS = ("tests/unit/runtime/test_control.py",)
HANDOVER_TESTS = ("tests/unit/core/test_handover.py",)
FIRE_TESTS = ("tests/unit/core/test_fire.py",)
AVAILABILITY_TESTS = ("tests/unit/core/test_availability.py",)
FIRE = ("tests/scenario/test_fire.py",)
VETOES = ("tests/scenario/test_vetoes.py",)
LIMITS = ("tests/scenario/test_guard_limits.py",)
TAKING_OVER = ("tests/scenario/test_taking_over.py",)
GATE = ("tests/scenario/test_writer_gate.py",)
PEOPLE = ("tests/scenario/test_operator_commands.py",)
TROUBLE = ("tests/scenario/test_trouble.py", "tests/scenario/test_odd_drivers.py")
INHIBITION = ("tests/scenario/test_inhibition.py",)
STRATEGIES = ("tests/scenario/test_strategy_faults.py",)
COMMISSIONING = ("tests/scenario/test_commissioning.py",)
DISK = ("tests/scenario/test_disk_trouble.py",)
EARLY = ("tests/scenario/test_early_scans.py",)
LAMP_MESSAGES = ("tests/scenario/test_lamp_messages.py",)
LATE = ("tests/scenario/test_slow_links.py", "tests/scenario/test_write_rights.py")
TEST_CASES = ("tests/wire/test_boptest_steps.py",)
KILL = ("tests/fault/test_daemon_kill.py",)
TIDAL = ("tests/unit/strategies/test_tidal_lighting.py", "tests/unit/strategies/test_tidal_garage.py")
SUNSET = tuple(f"tests/unit/strategies/test_sunset_{part}.py" for part in ("lighting", "plan", "sensor"))
DAYLIGHT = ("tests/unit/strategies/test_daylight_lighting.py",)
DEMO_LAMPS = ("tests/scenario/test_demo_lamps.py",)


class Mutation(NamedTuple):
    """name: what is disabled, in the words of the field."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


_GUARD = "controller/core/guard.py"
_LEDGER = "controller/core/ledger.py"
_HANDOVER = "controller/core/handover.py"
_INHIBITION = "controller/core/inhibition.py"
_FIRE = "controller/core/fire.py"
_COMMAND = "controller/core/command.py"
_EXCLUSION = "controller/core/exclusion.py"
_WEAR = "controller/core/wear.py"
_SCAN = "controller/runtime/scan.py"
_CONTROL = "controller/runtime/control.py"
_RELEASE_CONDITIONS = "controller/runtime/release_conditions.py"
_REST = "controller/runtime/rest.py"
_WRITER = "controller/runtime/writer.py"
_LEDGER_RUNTIME = "controller/runtime/ledger.py"
_INTENTS = "controller/runtime/intents.py"
_FIRE_RUNTIME = "controller/runtime/fire.py"
_SUPERVISOR = "controller/runtime/supervisor.py"

_DISK_WATCH = "controller/runtime/disk_watch.py"
_TIDAL = "strategies/tidal_lighting.py"
_PRESENCE = "strategies/blocks/presence.py"
_NIGHTS = "strategies/blocks/nights.py"
_DAYLIGHT = "strategies/daylight_lighting.py"

MUTATIONS = (
    # --- arbitration ------------------------------------------------------------------------------------------------
    Mutation("arbitration: the weakest wins", _COMMAND, "present[0]", "present[-1]", COMMAND_TESTS),
    Mutation("a lease never ends", _COMMAND, "if monotonic < self.next_end:", "if True:", COMMAND_TESTS),
    Mutation(
        "anybody empties a level",
        _COMMAND,
        "if held is None or held.source != source:",
        "if held is None:",
        COMMAND_TESTS,
    ),
    Mutation(
        "critical equipment is not protective",
        _COMMAND,
        "self <= Priority.CRITICAL_EQUIPMENT",
        "self < Priority.CRITICAL_EQUIPMENT",
        COMMAND_TESTS,
    ),
    # --- guard ------------------------------------------------------------------------------------------------------
    Mutation("no range", _GUARD, "if nearest == number:", "if True:", GUARD_TESTS),
    Mutation("no check for NaN", _GUARD, "if math.isnan(number):", "if False:", GUARD_TESTS),
    Mutation("no list of states", _GUARD, "if point.states and value not in point.states:", "if False:", GUARD_TESTS),
    Mutation("no permissives", _GUARD, "if permissives and allowed.value:", "if False:", GUARD_TESTS),
    Mutation("an unknown permissive stops a running unit", _GUARD, "if sample.is_good:", "if True:", GUARD_TESTS),
    Mutation(
        "an unknown permissive permits",
        _GUARD,
        "if not missing:",
        "if not any(s.is_good for _, s in missing):",
        GUARD_TESTS,
    ),
    Mutation("no mutual exclusion", _GUARD, "if rival is not None and allowed.value:", "if False:", GUARD_TESTS),
    Mutation("a rival waits for the minimum time", _GUARD, "if rival.at_once:", "if False:", GUARD_TESTS),
    Mutation("life safety is limited like anybody", _GUARD, "command.priority.is_protective", "False", GUARD_TESTS),
    Mutation(
        "lights go up at a limited rate",
        _GUARD,
        "if _goes_towards_light(allowed.value, memory, writable.limits):",
        "if False:",
        GUARD_TESTS,
    ),
    Mutation(
        "no minimum times",
        _GUARD,
        "limited = _after_minimum_time(allowed, memory, limits, monotonic)",
        "limited = allowed",
        GUARD_TESTS,
    ),
    Mutation(
        "minimum on and off times swapped",
        _GUARD,
        "limits.minimum_on if memory.value else limits.minimum_off",
        "limits.minimum_off if memory.value else limits.minimum_on",
        GUARD_TESTS,
    ),
    Mutation(
        "the first sight is no switch",
        _GUARD,
        "memory.switched if unchanged else monotonic",
        "memory.switched",
        GUARD_TESTS,
    ),
    Mutation(
        "any number of starts",
        _GUARD,
        "return _not_too_often(limited, memory, limits, monotonic)",
        "return limited",
        GUARD_TESTS,
    ),
    Mutation("starts are not counted", _GUARD, "if runs and not memory.ran else", "if False else", GUARD_TESTS),
    Mutation(
        "every scan of a running machine is a start",
        _GUARD,
        "if runs and not memory.ran else",
        "if runs else",
        GUARD_TESTS,
    ),
    Mutation("a start counts for ever", _GUARD, " if monotonic - each < HOUR_S)", ")", GUARD_TESTS),
    Mutation(
        "no rate",
        _GUARD,
        "limited = _at_limited_rate(allowed, memory, limits, monotonic)",
        "limited = allowed",
        GUARD_TESTS,
    ),
    Mutation(
        "the rate counts from nowhere", _GUARD, "max(0.0, monotonic - memory.at)", "max(0.0, monotonic)", GUARD_TESTS
    ),
    Mutation(
        "a whole number is written before it is reached",
        _GUARD,
        "return _whole(limited, wished=allowed.value) if point.type is ValueType.INTEGER else limited",
        "return limited",
        GUARD_TESTS,
    ),
    Mutation(
        "registers that wear are not spared",
        _GUARD,
        "limited = _spared(limited, register, writable)",
        "pass",
        GUARD_TESTS,
    ),
    Mutation("no writes a day", _WEAR, "if wear.writes_per_day is not None and", "if False and", WEAR_TESTS),
    Mutation("no interval between writes", _WEAR, "if remaining <= 0:", "if True:", WEAR_TESTS),
    Mutation(
        "a clock set back gives the day again",
        _WEAR,
        "return self.day if day + _DAY == self.day else day",
        "return day",
        WEAR_TESTS,
    ),
    Mutation("writes are not counted", _WRITER, "self.wear.count([job.point for job in writes])", "pass", LIMITS),
    Mutation(
        "the weakest of two rivals is chosen", _EXCLUSION, "chosen = min(wished", "chosen = max(wished", EXCLUSION_TESTS
    ),
    Mutation(
        "what is not proven off counts as off", _EXCLUSION, "if each.may_be_on:", "if each.runs:", EXCLUSION_TESTS
    ),
    Mutation(
        "a running rival is overlooked",
        _EXCLUSION,
        "if each.shown is True and each.wish is None:",
        "if False:",
        EXCLUSION_TESTS,
    ),
    # --- ledger: verdicts -------------------------------------------------------------------------------------------
    Mutation(
        "what was read before the write is its read-back",
        _LEDGER,
        "if sample.received <= holding.written:",
        "if False:",
        LEDGER_TESTS,
    ),
    Mutation(
        "no verdict: owned",
        _LEDGER,
        'return _with_verdict(holding, Verdict.OWNED, monotonic)._replace(adopted=False, attempts=1, refusal="")',
        "return holding",
        LEDGER_TESTS,
    ),
    Mutation(
        "no verdict: ignored",
        _LEDGER,
        "return _with_verdict(holding, Verdict.IGNORED, monotonic)",
        "return holding",
        LEDGER_TESTS,
    ),
    Mutation(
        "no verdict: overridden",
        _LEDGER,
        "return _with_verdict(holding, Verdict.OVERRIDDEN, monotonic)",
        "return holding",
        LEDGER_TESTS,
    ),
    Mutation(
        "no verdict: implausible",
        _LEDGER,
        "return _with_verdict(holding, Verdict.IMPLAUSIBLE, monotonic)",
        "return holding",
        LEDGER_TESTS,
    ),
    Mutation(
        "no time to settle",
        _LEDGER,
        " or monotonic - holding.written <= writable.settle.total_seconds()",
        "",
        LEDGER_TESTS,
    ),
    Mutation(
        "what a device dropped out of sight was an override",
        _LEDGER,
        "return holding if holding.adopted else holding._replace(adopted=True)",
        "return holding",
        LEDGER_TESTS,
    ),
    Mutation(
        "what an earlier run left and is gone stays ours",
        _LEDGER,
        "            return None\n        owned",
        "            return holding\n        owned",
        LEDGER_TESTS,
    ),
    Mutation(
        "no verdict: effect missing", _LEDGER_RUNTIME, "missing = is_late and not", "missing = False and not", TROUBLE
    ),
    Mutation(
        "the effect is awaited at once",
        _LEDGER_RUNTIME,
        "is_late = image.monotonic - holding.since > effect.within.total_seconds()",
        "is_late = True",
        TROUBLE,
    ),
    Mutation(
        "a refused write is pending",
        _LEDGER,
        "refusal is None else Verdict.IGNORED",
        "True else Verdict.IGNORED",
        TROUBLE,
    ),
    Mutation(
        "early scans follow each other without a pause",
        _SCAN,
        "max(self._clock.monotonic(), last + EARLY_SCAN_PAUSE_S)",
        "self._clock.monotonic() + 0.0 * last",
        EARLY,
    ),
    Mutation(
        "what motion commands is believed when the grid looks",
        _SCAN,
        "        if is_urgent:\n",
        "        if False:\n",
        EARLY,
    ),
    Mutation(
        "a scan for a read-back is urgent itself",
        _SCAN,
        "self._writer.awaited_read_backs(), self._early.set)",
        "self._writer.awaited_read_backs(), self.request_early)",
        EARLY,
    ),
    Mutation("nothing is judged", _SCAN, "self._ledger.judge(image)", "pass", TAKING_OVER),
    # --- ledger: what is due ----------------------------------------------------------------------------------------
    Mutation(
        "an ignored write is tried ever again at the same pace",
        _LEDGER,
        "min(RETRY_FIRST_S * 2.0 ** (holding.attempts - 1), longest_pause)",
        "RETRY_FIRST_S",
        LEDGER_TESTS,
    ),
    Mutation(
        "a volatile value is not told again",
        _LEDGER,
        "return times.wire >= fades_at(holding, fades_after(writable))",
        "return False",
        LEDGER_TESTS,
    ),
    Mutation(
        "a volatile value is told again too late",
        _LEDGER,
        "writable.on_silence.after.total_seconds() / 2",
        "writable.on_silence.after.total_seconds() * 2",
        LEDGER_TESTS,
    ),
    Mutation(
        "what waits for its turn fades",
        _LEDGER,
        "return Job(holding.point, Step.KEEP, holding.value)",
        "return None",
        LEDGER_TESTS,
    ),
    Mutation(
        "while all is at rest nothing is kept alive",
        _SCAN,
        "            self._keep_alive()\n",
        "            pass\n",
        TAKING_OVER,
    ),
    # --- letting go -------------------------------------------------------------------------------------------------
    Mutation(
        "nothing is ever let go", _LEDGER, "return Job(holding.point, Step.RELEASE, value)", "return None", LEDGER_TESTS
    ),
    Mutation(
        "what somebody overrode is let go by a write",
        _LEDGER,
        "    if holding.verdict is Verdict.OVERRIDDEN:\n        return Job(holding.point, Step.FORGET)\n",
        "",
        LEDGER_TESTS,
    ),
    Mutation(
        "letting go is believed unread", _LEDGER, "if _is_let_go(holding, value, writable):", "if True:", LEDGER_TESTS
    ),
    Mutation(
        "release safe_value writes what was there before",
        _LEDGER,
        "        case SafeValue(value=value):\n            return value",
        "        case SafeValue():\n            return holding.before",
        LEDGER_TESTS,
    ),
    Mutation(
        "release restore goes outside its safe range",
        _LEDGER,
        "return holding.before if restore.within.holds(before) else restore.within.nearest(before)",
        "return holding.before",
        LEDGER_TESTS,
    ),
    Mutation(
        "release remote_bit keeps our value",
        _LEDGER,
        "        case RemoteBit():\n            return holding.before",
        "        case RemoteBit():\n            return holding.value",
        LEDGER_TESTS,
    ),
    Mutation(
        "release null writes a value",
        _LEDGER,
        "        case ReleaseNull():\n            return None",
        "        case ReleaseNull():\n            return holding.before",
        LEDGER_TESTS,
    ),
    Mutation(
        "what was read before letting go proves it",
        _LEDGER,
        "        seen=None,\n",
        "",
        (*LEDGER_TESTS, *TAKING_OVER),
    ),
    Mutation(
        "no order of letting go",
        _HANDOVER,
        "if any(earlier in holdings for step in self._steps[:index] for earlier in step.points):",
        "if False:",
        HANDOVER_TESTS,
    ),
    Mutation(
        "letting go needs nothing",
        _HANDOVER,
        "if not all(condition in fulfilled for condition in step.needs):",
        "if False:",
        HANDOVER_TESTS,
    ),
    Mutation(
        "letting go comes after nothing",
        _HANDOVER,
        "return not step.after or any(condition in fulfilled for condition in step.after)",
        "return True",
        HANDOVER_TESTS,
    ),
    Mutation(
        "a condition holds at its first sight",
        _RELEASE_CONDITIONS,
        "if image.monotonic - since >= condition.lasting.total_seconds():",
        "if True:",
        TAKING_OVER,
    ),
    Mutation(
        "the heart stops before what hangs on it",
        _HANDOVER,
        "if any(point in holdings or point in wanted",
        "if any(point in wanted",
        HANDOVER_TESTS,
    ),
    Mutation(
        "while shutting down wishes are written",
        _SCAN,
        "        if self.letting_go:\n            return False\n",
        "",
        TAKING_OVER,
    ),
    # --- taking over ------------------------------------------------------------------------------------------------
    Mutation("half a machine is taken", _HANDOVER, "if lacking is not None:", "if False:", HANDOVER_TESTS),
    Mutation(
        "the bit precedes the values",
        _HANDOVER,
        "elif machine.remote in yielding or _may_be_ours(machine, holdings):",
        "else:",
        HANDOVER_TESTS,
    ),
    Mutation(
        "a machine that does not obey stays ours",
        _HANDOVER,
        "return not any(holding is not None and holding.verdict is Verdict.IGNORED for holding in commands)",
        "return True",
        HANDOVER_TESTS,
    ),
    Mutation(
        "what was ignored is believed",
        _HANDOVER,
        "if holding is None or holding.releasing or holding.verdict is Verdict.IGNORED:",
        "if holding is None or holding.releasing:",
        HANDOVER_TESTS,
    ),
    Mutation(
        "no intent is stored", _INTENTS, "            await self._store.save_held(intents)", "            pass", KILL
    ),
    Mutation(
        "a new value has no intent of its own",
        _INTENTS,
        "if not same_value(holding.value, job.value, 0.0):",
        "if False:",
        (*KILL, "tests/fault/test_kill_at_any_moment.py"),
    ),
    Mutation(
        "what was let go stays in the store",
        _INTENTS,
        "            await self._store.forget_held(points)",
        "            pass",
        KILL,
    ),
    # --- gate: authority, modes -------------------------------------------------------------------------------------
    Mutation("the scan has no gate", _SCAN, "return authority is Authority.TIDEWATT", "return True", TAKING_OVER),
    Mutation(
        "the writer has no gate of its own",
        _WRITER,
        "return self._authority[system] is not Authority.ORIGINAL and ",
        "return ",
        GATE,
    ),
    Mutation(
        "what was wished before a switch is written after it",
        _WRITER,
        " and self._authority[system] is under.get(system)",
        "",
        GATE,
    ),
    Mutation(
        "the gate is not looked at again before bytes leave",
        _WRITER,
        "if job.point in before and self._gate_is_open(job, under)]",
        "if job.point in before]",
        GATE,
    ),
    Mutation(
        "a heartbeat begins under the original controls",
        _WRITER,
        "if self._needs_no_intent(job):",
        "if job.step is not Step.WRITE or self._is_heartbeat(job.point):",
        GATE,
    ),
    Mutation(
        "strategies command while a system is tested",
        _SCAN,
        "return winner is not None and winner.priority <= Priority.MANUAL_OPERATOR",
        "return winner is not None",
        COMMISSIONING,
    ),
    Mutation(
        "a shadow commands",
        _SCAN,
        "            if strategy.mode is Mode.SHADOW:\n",
        "            if False:\n",
        TAKING_OVER,
    ),
    Mutation("an override is not yielded to", _LEDGER_RUNTIME, "< self._places[point].yield_for", "< 0.0", PEOPLE),
    Mutation(
        "an override is yielded to for ever",
        _LEDGER_RUNTIME,
        "and now - holding.since < self._places[point].yield_for",
        "",
        PEOPLE,
    ),
    Mutation(
        "the machine of an overridden bit is written",
        _WRITER,
        " and self._places[point].remote not in yielding:",
        ":",
        PEOPLE,
    ),
    Mutation(
        "a faulty strategy keeps its leases",
        _SCAN,
        "return  # nobody renews its leases",
        "pass  # nobody renews its leases",
        STRATEGIES,
    ),
    Mutation("bad input does not let go", _SCAN, "and not strategy.fault.lets_go:", ":", STRATEGIES),
    Mutation(
        "a faulty strategy is never left off",
        _SUPERVISOR,
        "return self.faults >= MOST_FAULTS",
        "return False",
        STRATEGIES,
    ),
    # --- the scan that rests ----------------------------------------------------------------------------------------
    Mutation("at rest a lease does not end", _REST, " or image.monotonic >= self._until:", ":", PEOPLE),
    Mutation(
        "at rest a changed value is not seen",
        _REST,
        "if not self._leant.isdisjoint(image.changed):",
        "if False:",
        TAKING_OVER,
    ),
    Mutation("at rest authority is not seen", _REST, "self._authority != self._settled_authority or ", "", TAKING_OVER),
    Mutation("at rest an inhibition is not seen", _REST, " or inhibited != self._settled_inhibited", "", INHIBITION),
    Mutation("at rest a wish is not seen", _REST, "if arrays != self._settled_arrays:", "if False:", PEOPLE),
    Mutation(
        "what goes on outlives its lease",
        _CONTROL,
        "            or monotonic >= self.array.next_end\n",
        "",
        CONTROL_TESTS,
    ),
    Mutation(
        "what goes on needs no permissive",
        _CONTROL,
        "or (self.permissives and not self._is_permitted(image))",
        "",
        CONTROL_TESTS,
    ),
    Mutation(
        "what goes on writes a register that is held back",
        _CONTROL,
        "register.held_back is not None or ",
        "",
        CONTROL_TESTS,
    ),
    Mutation("what was judged is never judged again", _LEDGER_RUNTIME, " or each[0] in shown]", "]", PEOPLE),
    # --- inhibitions, fire ------------------------------------------------------------------------------------------
    Mutation("nothing is inhibited", _CONTROL, "if inhibition is not None and not (", "if False and not (", INHIBITION),
    Mutation(
        "an inhibition spares nobody",
        _CONTROL,
        "inhibition.spares_life_safety and command.priority.is_life_safety",
        "False",
        ("tests/scenario/test_availability.py",),
    ),
    Mutation(
        "keeping outweighs letting go",
        _INHIBITION,
        "(other if first.keeps else first)",
        "(first if first.keeps else other)",
        FIRE_TESTS,
    ),
    Mutation(
        "in order outweighs at once",
        _INHIBITION,
        "first.at_once or other.at_once",
        "first.at_once and other.at_once",
        FIRE_TESTS,
    ),
    Mutation(
        "life safety is spared by either",
        _INHIBITION,
        "first.spares_life_safety and other.spares_life_safety",
        "first.spares_life_safety or other.spares_life_safety",
        (*FIRE_TESTS, *AVAILABILITY_TESTS),
    ),
    Mutation(
        "a machine goes without its bit",
        _INHIBITION,
        "if not at_once.isdisjoint(machine.points):",
        "if False:",
        INHIBITION,
    ),
    Mutation("what is overridden is kept", _INHIBITION, " or each.verdict is Verdict.OVERRIDDEN", "", FIRE),
    Mutation(
        "fire in doubt is none",
        _FIRE,
        "if sample.quality is not Quality.BAD and sample.value == active:",
        "if sample.is_good and sample.value == active:",
        FIRE_TESTS,
    ),
    Mutation(
        "a lost input is clear",
        _FIRE,
        "return Signal.CLEAR if sample.is_good else Signal.LOST",
        "return Signal.CLEAR",
        FIRE_TESTS,
    ),
    Mutation(
        "a fire ends by itself",
        _FIRE,
        "return Standing(is_latched=True, signal=Signal.FIRE)",
        "return Standing(is_latched=False, signal=Signal.FIRE)",
        FIRE_TESTS,
    ),
    Mutation(
        "a loss resets a fire",
        _FIRE,
        "return Standing(standing.is_latched, Signal.LOST)",
        "return Standing(False, Signal.LOST)",
        FIRE_TESTS,
    ),
    Mutation("an input that flaps moves lamps", _FIRE, "if monotonic - since < STEADY_S:", "if False:", FIRE_TESTS),
    Mutation(
        "lights come down before the reset",
        _FIRE,
        "return self.is_latched or self.signal is not Signal.CLEAR",
        "return self.signal is not Signal.CLEAR",
        (*FIRE_TESTS, *FIRE),
    ),
    Mutation(
        "a lost input raises no light",
        _FIRE,
        "return self.is_latched or self.signal is not Signal.CLEAR",
        "return self.is_latched",
        FIRE_TESTS,
    ),
    Mutation(
        "in a fire fans wait for their order",
        _FIRE,
        "Inhibition(_RELEASED, at_once=True)",
        "Inhibition(_RELEASED)",
        FIRE_TESTS,
    ),
    Mutation(
        "in a fire the plant runs on",
        _FIRE,
        "            inhibit(each.plant, Inhibition(_RELEASED))",
        "            pass",
        FIRE_TESTS,
    ),
    Mutation(
        "a lost input lets fans be commanded",
        _FIRE,
        "            inhibit(each.ventilation, Inhibition(_KEPT, keeps=True))",
        "            pass",
        (*FIRE_TESTS, *FIRE),
    ),
    Mutation(
        "a fire raises no light",
        _FIRE_RUNTIME,
        "            self._raise(point, each, monotonic)",
        "            pass",
        FIRE,
    ),
    Mutation(
        "a fire is reset while the panel says fire", _FIRE_RUNTIME, "if signal is Signal.FIRE:", "if False:", FIRE
    ),
    Mutation(
        "a fire is forgotten by a crash",
        _FIRE_RUNTIME,
        "            await self._store.save_fires(dict(self._since))",
        "            pass",
        FIRE,
    ),
    Mutation(
        "life safety yields to an override",
        _SCAN,
        "insisted.update((id_, release.point) if isinstance(release, RemoteBit) else (id_,))",
        "pass",
        FIRE,
    ),
    Mutation(
        "what nobody wishes any more is written",
        _WRITER,
        "if job.point not in self._wished or (",
        "if (",
        (*FIRE, *LATE),
    ),
    Mutation(
        "what comes before life safety is written after it",
        _WRITER,
        " or (job.point in self._insisted and self._wished[job.point] != job.value)",
        "",
        FIRE,
    ),
    Mutation(
        "a rate from outside the range stays outside",
        _GUARD,
        "return _back_in_range(limited, writable)",
        "return limited",
        GUARD_TESTS,
    ),
    # --- the disk ---------------------------------------------------------------------------------------------------
    Mutation(
        "without a disk everything stays held",
        _DISK_WATCH,
        "return self._inhibited if self.is_failing else {}",
        "return {}",
        DISK,
    ),
    Mutation("without a disk bytes leave all the same", _WRITER, "if self._needs_no_intent(job)]", "]", DISK),
    Mutation(
        "a disk that failed once is not tried again",
        _DISK_WATCH,
        "            self._works_again()",
        "            pass",
        DISK,
    ),
    Mutation(
        "a disk that fails again is tried at the same pace",
        _DISK_WATCH,
        "min(2.0 * self._pause, RETRY_LONGEST_S)",
        "RETRY_FIRST_S",
        DISK,
    ),
    Mutation("what is over stays in the store", _INTENTS, "await self._store.forget_held(over)", "pass", DISK),
    # --- test cases -------------------------------------------------------------------------------------------------
    Mutation(
        "what is written between two steps counts from the last one",
        _WRITER,
        "                    await session.advance()\n",
        "",
        TEST_CASES,
    ),
    Mutation(
        "what is released in a test case stays ours",
        "drivers/boptest/running.py",
        "int(value is not None)",
        "1",
        TEST_CASES,
    ),
    Mutation(
        "a test case is run as if it were a plant",
        "controller/cli/run.py",
        "if link.driver.is_stepped:",
        "if False:",
        ("tests/wire/test_boptest.py",),
    ),
    # --- lighting -----------------------------------------------------------------------------------------------------
    Mutation("a garage falls below its lux floor", _TIDAL, "if floor.brightness > level:", "if False:", TIDAL),
    Mutation("a ramp falls below its own floor", _TIDAL, "if group.floor > level:", "if False:", TIDAL[::-1]),
    Mutation(
        "a silent motion sensor is nobody",
        _PRESENCE,
        "motion = sample is None or sample.value is None or bool(sample.value)",
        "motion = sample is not None and bool(sample.value)",
        TIDAL,
    ),
    Mutation(
        "a sensor that is stuck is nobody",
        _PRESENCE,
        "off_delay(hold, motion or is_stuck,",
        "off_delay(hold, motion,",
        TIDAL[::-1],
    ),
    Mutation(
        "a sensor delays the lamps for longer than ten minutes",
        _NIGHTS,
        "latest = min([on + self.sensor_delay, off,",
        "latest = min([off,",
        SUNSET,
    ),
    Mutation(
        "a sensor keeps the lamps off below -6°",
        _NIGHTS,
        "latest = min([on + self.sensor_delay, off, *(first for first, _ in within)])",
        "latest = min([on + self.sensor_delay, off])",
        SUNSET,
    ),
    Mutation(
        "a sensor puts the lamps out below -6°",
        _NIGHTS,
        "earliest = max([off - self.sensor_delay, on, *(last for _, last in within)])",
        "earliest = max([off - self.sensor_delay, on])",
        SUNSET,
    ),
    Mutation(
        "without the sun's times lamps are off",
        "strategies/sunset_lighting.py",
        'raise BadInput("times of sunset and sunrise for now")',
        "return Decision(state, dict.fromkeys(self._circuits, False), _LIGHT)",
        SUNSET,
    ),
    Mutation(
        "an office goes dark without a warning",
        _DAYLIGHT,
        "if warned is None or warned >= self._parameters.flash_time.total_seconds():",
        "if True:",
        DAYLIGHT,
    ),
    Mutation(
        "after the warning there is no time for the button",
        _DAYLIGHT,
        "is_over = warned is not None and warned >= self._parameters.grace_time.total_seconds()",
        "is_over = warned is not None",
        DAYLIGHT,
    ),
    Mutation("who works late sits in the dark", _DAYLIGHT, "if not hold and is_over:", "if is_over:", DAYLIGHT),
    Mutation(
        "a silent motion sensor is an empty office",
        _DAYLIGHT,
        "motion = sample is None or sample.value is None or bool(sample.value)",
        "motion = sample is not None and bool(sample.value)",
        DAYLIGHT,
    ),
    Mutation(
        "sensor lamps stay dim in a fire",
        "controller/settings/fire.py",
        '"lighting_circuit", "sensor_lamp_group"})',
        '"lighting_circuit"})',
        DEMO_LAMPS,
    ),
    Mutation(
        "lamp times that a robot has taken are sent again after a restart",
        "controller/sunclock/daily.py",
        "if not self._sent.has(content):",
        "if True:",
        LAMP_MESSAGES,
    ),
    Mutation(
        "a robot that is down is no alarm",
        "controller/sunclock/daily.py",
        "        self._report(self._daemon.site.name, LAMP_TIMES_NOT_SENT, _one_language(why))\n",
        "",
        LAMP_MESSAGES,
    ),
    Mutation(
        "a cloud that looks like our lamps leaves the ground dark",
        "strategies/sunset_lighting.py",
        "lit = lit or is_careful",
        "lit = lit or False",
        SUNSET,
    ),
)
