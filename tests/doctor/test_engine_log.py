"""What the doctor reads out of an engine's log: each problem by the line that tells of it."""

import pytest

from turnkit.doctor.engine_log import EngineLog

PREWARMED = "INFO impeller::flux::prewarm: Finished prewarming Flux model"
LOADED = "flux-subprocess/7: Model loaded successfully, ready to accept requests."
FLUX = (
    'INFO autoload: Inserting model key=AsrKey { name: "flux-general-en", version: "2025-10-01", '
    "languages: [en], mode: TurnTaking, architecture: Some(Flux) }"
)
NOVA = (
    'INFO autoload: Inserting model key=AsrKey { name: "general", version: "2024-01-18", '
    "languages: [en], mode: Streaming, architecture: Some(Nova3) }"
)


def read(*lines):
    log = EngineLog("engine.log")
    log.read(lines)
    return log.findings()


@pytest.mark.parametrize(
    ("line", "what", "advice"),
    [
        (
            (
                "Engine was configured to run the Flux model, but we failed to load it. "
                "err=Failure(Can't find flux-general-en model)"
            ),
            "the model file of flux-general-en is missing",
            "models directory",
        ),
        (
            (
                'Failed to load model err=Manifest(TomlError { message: "unknown variant '
                '`turn-taking`, expected one of `all`, `batch`, `streaming`", keys: [] })'
            ),
            "a Flux model is present, but the engine does not run Flux",
            "enabled = true",
        ),
        (
            "TOML parse error at line 12, column 1 [flux] ^^^^ missing field `socket_path`",
            "the engine's image is older than release-251015",
            "release-251015",
        ),
        ("INFO Running model on device cpu", "the GPU is not usable", "gpu_required"),
        (
            "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
            "the GPU's memory is used up",
            "an engine of its own",
        ),
        (
            "WARN request refused: concurrency_limit.active_requests exceeded",
            "the API's limit of streams was reached",
            "raise concurrency_limit.active_requests",
        ),
    ],
)
def test_each_problem_is_known_by_its_line(line, what, advice):
    (problem,) = read("INFO starting", line)
    assert problem.grade == "bad"
    assert problem.what.startswith(what)
    assert problem.where == "engine.log:2"
    assert advice in problem.advice


def test_an_overloaded_engine_is_doubtful_and_counted():
    line = "WARN audio_window_end increased by more than 3 frames"
    (problem,) = read(line, line, line)
    assert problem.grade == "doubtful"
    assert problem.what == "the engine is overloaded and falls behind the audio (3 times)"
    assert problem.where == "engine.log:1"


@pytest.mark.parametrize("line", [PREWARMED, LOADED])
def test_an_engine_that_is_ready_is_well(line):
    assert [(f.grade, f.what) for f in read(FLUX, line)] == [
        ("good", "Flux was loaded and is ready")
    ]


def test_a_model_that_is_there_and_never_loaded_was_not_enabled():
    (problem,) = read(FLUX)
    assert problem.what == "flux-general-en is present, but Flux was never started"
    assert "enabled = true" in problem.advice


def test_a_second_model_on_the_engine_is_named():
    second, ready = read(FLUX, NOVA, PREWARMED)
    assert second.what == "a second model (general) is on the engine that runs Flux"
    assert second.grade == "bad"
    assert ready.grade == "good"


def test_other_models_without_flux_are_nobodys_business():
    (finding,) = read(NOVA)
    assert (finding.grade, finding.what) == ("doubtful", "nothing about Flux")


def test_problems_come_in_the_order_of_the_log():
    first, second = read("CUDA out of memory", "x", "Running model on device cpu")
    assert (first.where, second.where) == ("engine.log:1", "engine.log:3")
