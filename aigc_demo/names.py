"""The bundled models by family and role, the commands' words, first settings. Imports nothing."""

JUDGE = "judge"  # the classifier that reads digits
GANS = ("gan", "gan-mlp")  # that the page draws with
SMALL_GAN = "gan-small"  # whose training goes on step by step on the page
VAES = ("vae-2d", "vae")
FLOWS = ("flow",)
BETAS = {"vae-beta-0": 0, "vae-beta-1": 1, "vae-beta-10": 10}  # name -> weight of the KL term
WRITERS = ("shakespeare", "poems")
UNMASKS = ("unmask",)
BROKEN = {  # small models with one fault in their recipe -> a healthy model of their kind
    "broken-collapse": "gan-small",
    "broken-judge": "gan-mlp",
    "broken-order": "shakespeare",
    "broken-peek": "shakespeare",
    "broken-parrot": "shakespeare",
    "broken-rate": "shakespeare",
}
TRAINED = (
    JUDGE,
    *GANS,
    SMALL_GAN,
    *VAES,
    *BETAS,
    *FLOWS,
    *WRITERS,
    *UNMASKS,
    *BROKEN,
)  # by `train`
PRESETS = ("smoke", "cpu", "gpu")  # of a training
SIZES = ("small", "medium")  # presets of what is trained within a minute or a few,
MINUTE = ("gan", "vae-2d", "shakespeare", "flow")  # for these
ON_SAMPLES = ("smoke", *SIZES)  # presets that read the bundled samples
SUBJECTS = ("gan", "vae", "text", "app", "load")  # of the benchmark

# Settings that page, API and command begin with.
TRUNCATION = 0.8
FLOW_STEPS, GUIDANCE = 20, 1.0
GAP_STEPS = 32
TEMPERATURE = 0.8
TOP_P, POEM_TOP_P, TITLE_GUIDANCE = 0.95, 0.9, 2.0
COUPLETS = 5  # second lines to a first one
