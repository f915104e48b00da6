"""Words and patterns that say nothing about how a clip sounds, read off Freesound metadata.

In the patterns of devices ``~`` stands for an optional space, hyphen or underscore.
"""

import re

__all__ = [
    "BOILERPLATE_SENTENCE",
    "DEVICE",
    "DRUM_MACHINES",
    "EQUIPMENT_PHRASE",
    "EXTENSION",
    "FILE_CODE",
    "GENERIC_TAGS",
    "HTML_ELEMENT",
    "STUB_WORDS",
    "TECHNICAL_PHRASE",
    "UNIT",
]

EXTENSION = (
    "(?:wav|wave|w64|bwf|mp3|mp2|mp4|ogg|oga|opus|aiff?|aifc|flac|m4a|m4p|aac|wma|au|snd|amr|caf|3gpp?|midi?|mov|avi)"
)

HTML_ELEMENT = (
    "(?:a|abbr|b|big|blockquote|body|br|button|center|cite|code|dd|del|div|dl|dt|em|font|footer|form|h[1-6]|head|"
    "header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|mark|meta|nav|object|ol|option|p|param|pre|q|s|"
    "samp|script|section|select|small|source|span|strike|strong|style|sub|sup|svg|table|tbody|td|textarea|tfoot|"
    "th|thead|title|tr|tt|u|ul|var|video)"
)

# After a number, these make the number part of the meaning: "120 bpm", "4 bars", "8 bit", "1 shot".
UNIT = (
    "(?:bpm|bars?|beats?|hz|sec(?:ond)?s?|min(?:ute)?s?|hours?|days?|years?|ms|inch(?:es)?|mm|cm|km|kmh|mph|"
    "st|nd|rd|th|steps?|strings?|people|persons?|times?|voices?|players?|bit|shots?|ch|way|d|s|w|kw|v)"
)

DRUM_MACHINES = frozenset({"303", "505", "606", "626", "707", "727", "808", "909"})

# Names that recorders, cameras and people number their files by.
FILE_CODE = re.compile(
    r"(?i)\b(?:zoom|ste|mono|dr|ds|dsc[fn]?|img|mvi|vid|vn|pcm|rec|r09|audio|track|take|file|untitled|new recording"
    r"|memo|voice|no|nr|vol|part|pt|version|ver|v)[ _.#-]*\d{1,12}(?![\w-])"
)

# Recorders, microphones and audio editors; instruments and synthesisers are sources of sound and stay.
_RECORDERS = (
    r"zoom~(?:[hfq]~\d\w*(?:~(?:pro|xlr|xy))?|h)",
    r"h[1-6]n(?:r|~pro|~zoom)?|h[124-6]|h2a~xlr",
    r"(?:tascam|edirol|olympus|marantz|fostex)(?:~(?:[a-z]{1,3}~)?\w*\d\w*(?:~le)?)?",
    r"(?:roland|sony|sanyo|yamaha)~(?:(?:r|pcm|ecm|icd|tcm|tcd|mz|md|hxr)~\w*\d\w*|pocketrak|ic~recorder)|sony~(?:pcm|icd|minidisc)",
    r"dr~(?:05|07|0?8|40|44|60|70|100|680)\w{0,3}|ls~(?:3|5|7|10|11|12|14|100)|pmd~\d{3}|r~09(?:hr)?|fr~2~le",
    r"(?:md~)?mz~[nr]h?\d+|pcm~[dm]~?\d+|ecm~\d{3}\w?|sd~7\d\dt?",
    r"(?:sound~devices?|mix~pre|microtrack|minidis[ck]|mini~disk|nagra)(?:~\w*\d\w*)?",
    r"(?:handy|handheld|field|digital|voice|minidisc|dat|tape|cassette)~recorder",
    r"(?:iphone|ipad|ipod|gopro|samsung~galaxy)(?:~\d\w*)?|nokia~\w*\d+|(?:canon~|nikon~)(?:eos~)?\w*\d+d?",
)
_MICROPHONE_MAKERS = (
    r"(?:sennheiser|shure|akg|neumann|schoeps|oktava|josephson|earthworks|beyerdynamic|beyer|electro~voice"
    r"|audio~technica|soundman|r[oø]de|dpa|sonic~studios)"
)
_MICROPHONES = (
    rf"{_MICROPHONE_MAKERS}(?:~(?:mkh?|mke|me|sm|nt|ntg|km|u|tlm|at|atr|c|d|ck|cmc|okm|dsm|videomic|wl)?~\w*\d\w*)?",
    r"(?:mkh|mke|sm|km|ck|cmc|atr?)~\d{2,4}\w?|mk~012|me~6\d|nt~[1-5]a?|ntg~\d|u~87|c~414|okm(?:~ii)?",
    r"blue~(?:yeti|snowball)|mics|microphones|\d~microphones",
    r"(?:built~in|internal|laptop|usb|stereo|condenser|lavalier|shotgun|binaural|boom|room|xy|ms)~mic(?:rophone)?s?",
)
_EDITORS = (
    r"audacity|adobe~audition(?:~[\d.]+)?|cool~edit(?:~pro)?|sound~forge|wave~lab|pro~tools|(?:adobe~)?premiere",
    r"reaper|izotope(?:~rx)?|goldwave|garage~band|ocenaudio|twisted~wave|sox|ffmpeg",
)
_ANY_DEVICE = "|".join(_RECORDERS + _MICROPHONES + _EDITORS).replace("~", "[ _-]?")
DEVICE = re.compile(rf"(?i)(?:{_ANY_DEVICE})")

# Letters that a phrase may begin with are asked for first, which spares all its words at most places.
_MADE = "recorded|captured|taped|sampled|made|edited|processed|normali[sz]ed|mixed|cut|done"
EQUIPMENT_PHRASE = re.compile(
    rf"(?i)(?<![\w-])(?=[a-fimnoprs-w&+/])(?:(?:was |were )?(?:{_MADE}) )?(?:directly |straight )?"
    r"(?:with|using|on|by|via|through|into|in|from|and|&|\+|/)\s+(?:(?:an?|the|my|our|two|2|pair of) )*"
    rf"(?:(?:portable|digital|handheld|stereo|cheap|old|new) )*(?:{_ANY_DEVICE})(?![\w-])"
    r"(?: (?:digital |portable |handheld |stereo |audio |field |voice )?"
    r"(?:recorder|microphones?|mics?|interface|software|capsule)\b)?"
)

TECHNICAL_PHRASE = re.compile(
    r"(?i)(?<![\w.])(?=[\dabilmnost@.])(?:(?:at|in|@|as|to)\s+)?(?:"
    r"\d{2,6}(?:[.,]\d+)?\s?k(?:hz|bps|bits?(?:/s)?)\b(?:\s?/\s?(?:16|24|32)(?:[ -]?bits?)?)?|\d{4,6}\s?hz\b"
    r"|(?:16|24|32)[ -]?bits?\b(?:\s?/\s?\d{2,3}(?:\.\d)?\s?(?:k(?:hz)?)?)?(?:\s(?:float|depth|resolution))?"
    r"|mono mixdown|(?:original )?sampl(?:e|ing) rate(?: of)?|bit ?(?:depth|rate)(?: of)?"
    r"|(?:normali[sz]ed|amplified|limited) (?:to|at) [-–]?\d+(?:\.\d+)?\s?db\w*"
    rf"|\.{EXTENSION}(?:\s(?:file|format))?\b)"
)

# A sentence that lost a phrase and has only these words left is dropped.
STUB_WORDS = frozenset(
    """
    a an and are as at be by from i in is it its my of on or that the this to was were with using used
    file files format sample sampled samples sampling sound sounds original recorded recording edited processed
    made converted compressed uncompressed normalised normalized mono stereo channel channels quality high
    hz khz bit bits db rate length duration for trimmed cut cropped cleaned exported mastered
    """.split()  # noqa: SIM905
)

_LICENCE = (
    r"creative commons\b|cc[ -]?(?:0|by|zero|nc)\b|licen[cs]e[ds]?\b|public domain\b|royalty[ -]free\b",
    r"copyright|all rights reserved|copyleft|attribut(?:ion|e)\b",
    r"commercial (?:use|purposes|projects?)",
)
_PERMISSION = (
    r"(?:feel|are|be|is|you'?re) free (?:to|for)\b|free (?:to use|for (?:all|any|every|personal|use|download))",
    r"(?:if|when|where|how|whatever) (?:you|u|anyone|someone|somebody) (?:guys )?"
    r"(?:use|used|like|want|need|wish|do with|download)\b",
    r"you (?:can|may|could) (?:freely )?(?:use|download|edit|remix|sample|do)\b",
    r"use (?:it|this|them|these)? ?(?:as|how|for|in|however) (?:you|your|anything|any|whatever)",
)
_CREDIT = (
    r"(?:a|give|giving|some|proper|with|any|no) credits?\b|credits? (?:me|is|to|would|not|appreciated|required)",
    r"let me (?:know|hear)|leave (?:a |me |your |some )?(?:comments?|feedback|rating)",
    r"(?:comments?|feedback|ratings?) (?:is|are|and|welcome|appreciated|please)",
    r"please (?:rate|comment|credit|mention|let|link|visit|check|don'?t|do not|leave|give|tell|share|note|contact)",
    r"please (?:listen|download|feel)|(?:rate|comment|download|share) (?:and|&|or|it|this) (?:comment|rate|like)",
)
_SELF = (
    r"(?:see|visit|check|look (?:at|for)|find|hear|listen to|browse) (?:out )?(?:all |some |more )?(?:of )?"
    r"my (?:other|page|profile|web|site|blog|channel|packs?|sounds|uploads|music|work|soundcloud)",
    r"my other (?:sounds|uploads|samples|packs?|work)",
    r"more (?:sounds|samples|info|information|free sounds|loops)? ?(?:here|at|on my|about me|visit)\b",
    r"(?:soundcloud|bandcamp|facebook|twitter|instagram|patreon|paypal|youtube|vimeo|myspace|discord)\b",
    r"donat(?:e|ions?)\b|follow me\b|subscribe\b|(?:e-?mail|contact|message|pm|dm) me\b",
    r"part of (?:a|my|the) (?:bigger |larger |big |\w+ )?(?:pack|collection|library|series|set)\b",
)
_MAKING = (
    r"recorder and microphone\b|recorded straight\b|only normali[sz]ed",
    r"(?:recorder|mic(?:rophone)?s?|equipment|gear) (?:used|was|were|is|are|not|unknown)\b",
    r"(?:no|without|any|some|slight|light|little|minimal) "
    r"(?:eq|processing|post[ -]?processing|effects?|edits?|editing|compression|fx|normali[sz]ation)\b",
)
_BEGINNINGS = (
    r"^\W*(?:enjoy|thanks|thank you|thx|cheers|have fun|hope (?:you|this|it|that)|good luck|peace|greetings"
    r"|all the best|hi|hello|hey)\b[^,]{0,40}$",
    r"^\W*(?:recorder|mic(?:rophone)?s?|equipment|gear|recorded (?:with|using|on)|software|daw|format"
    r"|file ?(?:type|size|name|format)|bit ?(?:depth|rate)|sampl(?:e|ing) ?rate|channels?|licen[cs]e|author|credits?"
    r"|date|year|resolution|uploaded|downloads?)\s*[:=]",
)
_WORDS = _LICENCE + _PERMISSION + _CREDIT + _SELF + _MAKING
# for texts in lower case: to ignore case in sixty alternatives at each letter takes five times as long
BOILERPLATE_SENTENCE = re.compile(rf"\b(?=[a-z])(?:{'|'.join(_WORDS)})|©|\(c\) ?\d{{4}}|{'|'.join(_BEGINNINGS)}")

GENERIC_TAGS = frozenset(
    """
    freesound freesounds sound sounds audio wav mp3 ogg aif aiff flac file files free download downloads upload uploaded
    cc0 creativecommons royaltyfree copyright license licence attribution request requested soundrequest
    untitled unknown misc various test testing xxx lol tag tags none null nan recording recordings recorded
    com www http
    """.split()  # noqa: SIM905
) | {
    "cc by",
    "creative commons",
    "public domain",
    "royalty free",
    "free sound",
    "free sounds",
    "sound request",
    "home recording",
    "sample pack",
    "massive recording",
    "special event",
}
