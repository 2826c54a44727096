"""Texts that tokenizers are compared on: many languages, code, symbols, bytes at random. By a seed, so that
the same seed gives the same texts everywhere."""

import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Article 1 of the Universal Declaration of Human Rights, its first sentence or so.
LANGUAGES = {
    "af": "Alle menslike wesens word vry, met gelyke waardigheid en regte, gebore.",
    "am": "የሰው፡ልጅ፡ሁሉ፡ሲወለድ፡ነጻና፡በክብርና፡በመብትም፡እኩልነት፡ያለው፡ነው።",
    "ar": "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق.",
    "bg": "Всички хора се раждат свободни и равни по достойнство и права.",
    "bn": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।",
    "ca": "Tots els éssers humans neixen lliures i iguals en dignitat i en drets.",
    "cs": "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv.",
    "da": "Alle mennesker er født frie og lige i værdighed og rettigheder.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "en": "All human beings are born free and equal in dignity and rights; they're endowed with reason.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos.",
    "et": "Kõik inimesed sünnivad vabadena ja võrdsetena oma väärikuselt ja õigustelt.",
    "fa": "تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند.",
    "fi": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. L'homme n'est qu'un roseau.",
    "ga": "Saolaítear gach duine den chine daonna saor agus comhionann i ndínit agus i gcearta.",
    "gu": "પ્રતિષ્ઠા અને અધિકારોની દૃષ્ટિએ સર્વ માનવો જન્મથી સ્વતંત્ર અને સમાન હોય છે.",
    "he": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "hr": "Sva ljudska bića rađaju se slobodna i jednaka u dostojanstvu i pravima.",
    "hu": "Minden emberi lény szabadon születik és egyenlő méltósága és joga van.",
    "hy": "Բոլոր մարդիկ ծնվում են ազատ ու հավասար՝ իրենց արժանապատվությամբ և իրավունքներով։",
    "id": "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama.",
    "is": "Hver maður er borinn frjáls og jafn öðrum að virðingu og réttindum.",
    "it": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti.",
    "ja": "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "ka": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით.",
    "km": "មនុស្សទាំងអស់ កើតមកមានសេរីភាព និងសមភាព ក្នុងផ្នែកសេចក្ដីថ្លៃថ្នូរនិងសិទ្ធិ។",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "lt": "Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis.",
    "lv": "Visi cilvēki piedzimst brīvi un vienlīdzīgi savā pašcieņā un tiesībās.",
    "ml": "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും അന്തസ്സോടും സ്വാതന്ത്ര്യത്തോടുംകൂടി ജനിച്ചവരാണ്.",
    "my": "လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာဖြင့် လည်းကောင်း၊ မွေးဖွားလာသူများ ဖြစ်သည်။",
    "nl": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren.",
    "no": "Alle mennesker er født frie og med samme menneskeverd og menneskerettigheter.",
    "pl": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.",
    "pt": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos.",
    "ro": "Toate ființele umane se nasc libere și egale în demnitate și în drepturi.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "si": "සියලු මනුෂ්‍යයෝ නිදහස්ව උපත ලබා ඇත. ගරුත්වයෙන් හා අයිතිවාසිකම්වලින් සමාන වෙති.",
    "sv": "Alla människor är födda fria och lika i värde och rättigheter.",
    "sw": "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa.",
    "ta": "மனிதப் பிறவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்; மதிப்பிலும், உரிமைகளிலும் சமமானவர்கள்.",
    "te": "ప్రతిపత్తిస్వత్వముల విషయమున మానవులెల్లరును జన్మతః స్వతంత్రులును సమానులును నగుదురు.",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "tr": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. İstanbul'da ILIK ığdır.",
    "uk": "Всі люди народжуються вільними і рівними у своїй гідності та правах.",
    "ur": "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔",
    "vi": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền.",
    "yo": "Gbogbo ènìyàn ni a bí ní òmìnira; iyì àti ẹ̀tọ́ kọ̀ọ̀kan sì dọ́gba.",
    "zh": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
}

# Where the patterns decide: contractions, the long s, marks, letters without case, all kinds of blanks
# and line ends, numbers of other scripts, and what has a meaning elsewhere.
PIECES = """'s 'S 'ſ 'LL 'Re 'vE 'd 'm 't 'x ' '' / // /* */ ! !! ? ̈ ́ ̀a 中 字 ア ー ʰ ǅ ǲ A B a b é ß 1 22 333
4444 ٣ ½ ² Ⅷ 😀 👩‍👩‍👧 🇩🇪 _ <|endoftext|> <|im_start|> The WORLD camelCase HTTPServer iPhone don't I'LL ٱ ा क İ ﬁ
\ufffd \u200b \u200d \ufe0f 𑀀 \U000e0100 \U0010ffff == --- ### {} (" "); \\n \\u0041 0x1F 3.14 1,000 http://a.b/c?d=e""".split()
PIECES += ["\r\n", "\n", "\r", " ", "  ", "   ", "\t", "\u00a0", "\u3000", "\u2028", "\x85", "\x00", "\x1b", "\x7f"]
BLOCKS = [
    0x80, 0x250, 0x2B0, 0x300, 0x370, 0x400, 0x530, 0x590, 0x600, 0x700, 0x900, 0x980, 0xB80, 0xE00, 0xF00, 0x10A0,
    0x1100, 0x1200, 0x13A0, 0x1780, 0x1800, 0x1E00, 0x2000, 0x2100, 0x2200, 0x2460, 0x2600, 0x3040, 0x3300, 0x4E00,
    0xA000, 0xAC00, 0xFB00, 0xFE00, 0xFF00, 0x10400, 0x1D400, 0x1F1E0, 0x1F600, 0x1F900, 0x20000, 0xE0000,
]


def sources() -> list[str]:
    """This repository's own text files."""
    paths = []
    for folder, pattern in [
        ("Sources", "*.swift"), ("Tests", "*.swift"), ("Tests", "*.py"), ("docs", "*.md"), ("schemas", "*.*"),
    ]:
        paths += sorted((ROOT / folder).rglob(pattern))
    return [path.read_text() for path in paths if path.is_file()]


class Texts:
    """Varied texts, one after the other."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.code = sources()
        self.languages = list(LANGUAGES.values())

    def next(self) -> bytes:
        kind = self.random.choice(
            [self.prose, self.source, self.pieces, self.block, self.points, self.bytes, self.word, self.repeated]
        )
        text = kind()
        return text if isinstance(text, bytes) else text.encode()

    def size(self, most: int) -> int:
        """Small sizes more often than large ones."""
        return 1 + int(most ** self.random.random())

    def some(self, choices, most: int) -> str:
        return "".join(self.random.choice(choices) for _ in range(self.size(most)))

    def prose(self) -> str:
        sentences = [self.random.choice(self.languages) for _ in range(self.size(5))]
        text = self.random.choice([" ", "\n", "\n\n", "\r\n"]).join(sentences)
        return self.random.choice([str, str, str.upper, str.title, str.swapcase])(text)

    def source(self) -> str:
        file = self.random.choice(self.code)
        start = self.random.randrange(max(1, len(file) - 400))
        return file[start : start + self.size(1000)]

    def pieces(self) -> str:
        return self.some(PIECES, 60)

    def block(self) -> str:
        base = self.random.choice(BLOCKS)
        own = [chr(base + offset) for offset in range(128)]
        return self.some(own * 4 + [" "] * 64 + PIECES, 120)

    def points(self) -> str:
        ranges = [range(0xD800), range(0xE000, 0x110000), range(0x3000), range(0x80)]
        return "".join(chr(self.random.choice(self.random.choice(ranges))) for _ in range(self.size(80)))

    def bytes(self) -> bytes:
        """Few of these are UTF-8. Half of them are texts with damage."""
        if self.random.random() < 0.5:
            return self.random.randbytes(self.size(300))
        text = bytearray(self.prose().encode())
        for _ in range(self.size(20)):
            text[self.random.randrange(len(text))] = self.random.randrange(256)
        return bytes(text[self.random.randrange(3) :])

    def word(self) -> str:
        """One long word, or a number."""
        alphabet = self.random.choice(["abcdefghijklmnopqrstuvwxyz", "aAbB", "0123456789", "abcdefABCDEF0123456789", "ab"])
        return self.some(alphabet, 3000)

    def repeated(self) -> str:
        return self.some(PIECES, 5) * self.size(600)
