"""English verbs and frames that clauses are put into."""

from gallery.synthetic.wordlists import table, words

# How a clause of each kind follows the noun: "a woman wearing a hat".
LEADS = table(
    {
        "wear": "wearing*18|in*14|dressed in*4|with*3|who is wearing*2|who wears*2|clad in"
        "|having on"
        "|sporting|who's wearing",
        "don": "wearing*12|with*10|in*2|who is wearing|who wears|sporting",
        "have": "with*12|having|who has*2",
        "carry": "carrying*12|with*10|holding*4|who is carrying*2|who carries|who has|toting"
        "|clutching",
        "back": "carrying*10|with*10|wearing*6|who is carrying*2|who has|having|shouldering"
        "|lugging",
        "roll": "with*8|pulling*8|dragging*4|wheeling*2|carrying*2|rolling|who is pulling|hauling"
        "|lugging",
        "hold": "holding*10|with*8|carrying*4|under*6|who is holding*2|beneath|sheltering under",
        "is": "*14|who is",
    }
)
# How it follows the subject of a sentence: "she is wearing a hat".
FINITE = table(
    {
        "wear": "is wearing*6|wears*5|has on|is dressed in*2|is in",
        "don": "is wearing*4|wears*4|has*2|has on",
        "have": "has",
        "carry": "is carrying*4|carries*4|has*2|is holding|holds",
        "back": "is carrying*3|carries*3|has*3|is wearing|wears",
        "roll": "is pulling*3|pulls*2|has*2|drags|is dragging|is with|is wheeling",
        "hold": "is holding*4|holds*3|has|carries|is under*2",
        "is": "is",
        "adjective": "is",
    }
)
ASK = words(
    "find {a}*4|looking for {a}*4|i am looking for {a}*2|i'm looking for {a}*2|search for {a}*2"
    "|show me {a}*3|where is {the}?*2|is there {a}?*3|have you seen {a}?*3|please find {a}*2"
    "|did anyone see {a}?|who has seen {a}?|can you find {a}?*2|locate {a}*2|any {bare}?"
    "|find me {a}*2|we need to find {a}|{a}, please|get me all pictures of {a}|i need {a}"
    "|search {a}|show {a}|find the person: {a}|i want to find {a}|there must be {a}"
)
TELL = words(
    "i saw {a}*3|there is {a}*3|there's {a}*2|this is {a}*2|a photo of {a}*3|an image of {a}*2"
    "|a picture of {a}*2|{a} is seen|we see {a}*2|{a} can be seen|it is {a}|the suspect is {a}"
    "|the picture shows {a}|the person is {a}|the person we want is {a}|one can see {a}"
    "|photo of {a}"
)
PLACE = words(
    "in the street*3|on the street*2|outside|in the picture*2|in the photo|on the pavement"
    "|near the crossing|outdoors|on camera|in the city|at the scene|in view|on the sidewalk"
)
LABELS = {
    "build": ("build", "body"),
    "hair": ("hair",),
    "hat": ("hat", "head"),
    "glasses": ("glasses", "eyes", "eyewear"),
    "upper": ("top", "upper body", "upper"),
    "inner": ("inner", "underneath"),
    "lower": ("bottom", "lower body", "lower", "legs"),
    "shoes": ("shoes", "feet"),
    "bag": ("bag",),
    "umbrella": ("umbrella",),
    "pose": ("pose", "action"),
    "view": ("view", "angle"),
}
