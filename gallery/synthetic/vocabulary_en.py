"""English words for every value of every field.

No wording stands for two values of one field.
"""

from gallery.synthetic.wordlists import table, words

COLOUR = table(
    {
        "black": "black*16|coal black|ink black|jet black|jet-black|pitch black|all-black|dark",
        "white": "white*16|pure white|snow white|bright white|plain white|snowy white|chalk white"
        "|milky white|ivory white",
        "grey": "grey*8|gray*5|light grey*2|dark grey*2|light gray|dark gray|charcoal*2"
        "|charcoal grey|silver|silver grey|ash grey|slate grey|steel grey|medium grey|smoky grey"
        "|graphite grey|pale grey|greyish",
        "red": "red*14|bright red*2|dark red*2|crimson*2|scarlet*2|cherry red|deep red|ruby red"
        "|blood red|wine red|burgundy|maroon|vivid red|ruby|reddish|light red|brick red"
        "|tomato red",
        "blue": "blue*12|dark blue*2|light blue*2|navy*3|navy blue*2|sky blue*2|royal blue"
        "|bright blue|pale blue|cobalt blue|cobalt|azure|baby blue|deep blue|sapphire blue|bluish"
        "|midnight blue|powder blue|steel blue|electric blue",
        "green": "green*12|dark green*2|light green*2|olive*2|olive green|lime green|lime"
        "|forest green|emerald|emerald green|bright green|army green|mint green|bottle green"
        "|grass green|pale green|greenish|sage green|deep green|jade green|pea green",
        "yellow": "yellow*14|bright yellow*2|lemon yellow|mustard*2|mustard yellow|pale yellow"
        "|light yellow|canary yellow|golden yellow|lemon|vivid yellow|yellowish|dark yellow"
        "|sunny yellow|gold",
        "orange": "orange*14|bright orange*2|dark orange|light orange|tangerine|burnt orange"
        "|pumpkin orange|deep orange|vivid orange|neon orange|orangey|pale orange|carrot orange",
        "pink": "pink*14|light pink*2|hot pink*2|pale pink|bright pink|rose pink|salmon pink"
        "|baby pink|fuchsia|rose|dusty pink|pastel pink|pinkish|dark pink|deep pink|blush pink",
        "purple": "purple*13|violet*3|lilac*2|lavender*2|dark purple|light purple|deep purple"
        "|mauve|plum|bright purple|aubergine|pale purple|purplish|grape purple|dark violet",
        "brown": "brown*13|dark brown*2|light brown*2|chocolate brown|chocolate|chestnut brown"
        "|coffee brown|coffee-coloured|deep brown|mahogany brown|brownish|hazel brown|pale brown"
        "|mocha brown|walnut brown",
        "beige": "beige*10|khaki*3|tan*3|cream*3|cream-coloured|sand-coloured|sand|sandy|camel"
        "|light beige|dark beige|oatmeal|tan-coloured|cream-colored|ecru|fawn|camel-coloured"
        "|khaki-coloured|light tan|light khaki|pale beige",
    }
)
HAIR_COLOUR = table(
    {
        "black": "black*10|jet black|jet-black|raven|raven-black",
        "brown": "brown*8|dark brown*2|light brown*2|chestnut|brunette|chestnut brown|hazel brown",
        "blond": "blond*5|blonde*6|golden*2|fair*2|light blond|bleached blond|platinum blonde",
        "grey": "grey*7|gray*4|silver*2|greying|silvery|white|silver-grey",
        "red": "red*5|ginger*4|auburn*2|copper|bright red|reddish",
    }
)
GENDER = table(
    {
        "woman": "woman*10|lady*5|girl*4|female*3|female pedestrian|gal|young lady|female person",
        "man": "man*10|guy*5|gentleman*2|male*3|boy*3|male pedestrian|bloke|fellow|chap|dude"
        "|male person",
    }
)
NOBODY = words(
    "person*10|pedestrian*3|individual*2|passer-by|someone*3|somebody*2|anyone*2|figure|passerby"
)
BUILD = table(
    {
        "slim": "slim*5|thin*4|slender*3|skinny*2|lean|slightly built|slimly built",
        "average": "average-built*3|medium-built*2|average-sized|medium-sized|normally built",
        "stout": "stout*3|heavy-set*2|heavyset*2|chubby*2|plump*2|overweight*2|stocky*2|fat*2"
        "|heavily built|large|big|burly|portly|thickset",
    }
)
BUILD_HAVE = table(
    {
        "slim": "a slim build*3|a thin build|a slender figure*2|a slim figure*2|a slim body"
        "|a slight build|a lean build",
        "average": "an average build*4|a medium build*4|a normal build*2|an ordinary build"
        "|an average figure|a normal figure|a regular build|an average body",
        "stout": "a stout build*2|a heavy build*3|a large build|a big build|a stocky build"
        "|a full figure*2|a heavy-set figure|a plump figure|a round belly",
    }
)
# {c} stands for the colour; without one it falls away with its space.
HAIR = table(
    {
        "short": "short {c} hair*7|{c} short hair*2|cropped {c} hair|{c} hair cut short"
        "|a short {c} haircut|closely cut {c} hair|short-cropped {c} hair|{c} hair in a short cut",
        "long": "long {c} hair*8|{c} long hair*2|long flowing {c} hair|long loose {c} hair"
        "|{c} hair worn long|very long {c} hair|{c} hair falling down the shoulders",
        "ponytail": "a {c} ponytail*5|{c} hair in a ponytail*4|{c} hair tied in a ponytail*2"
        "|{c} hair tied back in a ponytail*2|{c} ponytail hair|{c} hair pulled into a ponytail"
        "|a {c} pony tail|{c} hair in a pony tail",
        "bun": "{c} hair in a bun*5|a {c} bun*2|{c} hair tied in a bun*2|{c} hair tied up in a bun"
        "|{c} hair pinned up in a bun|{c} hair put up in a bun|a {c} hair bun*2|a {c} topknot"
        "|{c} hair in a knot",
    }
)
HAIR_ADJECTIVE = table(
    {
        "short": "short-haired*3|short haired",
        "long": "long-haired*3|long haired",
        "ponytail": "ponytailed",
    }
)
HAIR_OWN = table(
    {
        "short": "hair is short*3|hair is cut short|hair is cropped",
        "long": "hair is long*3|hair is worn long",
        "ponytail": "hair is in a ponytail*3|hair is tied in a ponytail|hair is tied back in a "
        "ponytail",
        "bun": "hair is in a bun*3|hair is tied up in a bun|hair is pinned up in a bun",
    }
)
BALD = words("bald*5|bald-headed*2|shaven-headed|hairless|bald headed")
BALD_HAVE = words("a bald head*4|a shaved head*2|no hair*3|a shaven head|a hairless head")
HAT = table(
    {
        "cap": "cap*6|baseball cap*5|peaked cap*2|baseball hat*2|ball cap|sports cap|visor cap"
        "|snapback|cap with a visor",
        "beanie": "beanie*6|knit hat*2|knitted hat*2|woolly hat*2|wool hat*2|knit cap*2"
        "|woollen hat|beanie hat*2|winter hat|bobble hat|knitted beanie|stocking cap",
        "brimmed hat": "brimmed hat*3|wide-brimmed hat*4|sun hat*3|fedora*2|hat with a brim*3"
        "|broad-brimmed hat|sunhat|wide brim hat*2|hat with a wide brim*2|panama hat|floppy hat"
        "|bucket hat*2|straw hat|cowboy hat",
    }
)
BAREHEADED = words(
    "bareheaded*3|bare-headed*2|hatless*2|without a hat*5|without any hat"
    "|without headwear|without a cap or hat|not wearing a hat*3|not wearing any hat"
)
HATLESS = words(
    "no hat*6|no headwear*2|nothing on the head*2|no cap or hat|a bare head*2"
    "|an uncovered head|no hat on"
)
GLASSES = table(
    {
        "glasses": "glasses*8|eyeglasses*3|spectacles*3|clear glasses|eye glasses|specs*2"
        "|a pair of glasses*2|reading glasses|prescription glasses|a pair of spectacles",
        "sunglasses": "sunglasses*9|dark glasses*2|shades*3|sun glasses*2|dark sunglasses"
        "|a pair of sunglasses*2|tinted glasses",
    }
)
NO_GLASSES = words("no glasses*6|no eyewear*2|no spectacles|no glasses on")
WITHOUT_GLASSES = words(
    "without glasses*5|not wearing glasses*3|without any glasses"
    "|without eyewear|without spectacles|not wearing any glasses"
)
UPPER = table(
    {
        "t-shirt": "t-shirt*8|tee*3|tee shirt*2|t shirt*3|tshirt*2|short-sleeved top*2"
        "|short-sleeve top|short sleeve shirt|short-sleeved tee",
        "shirt": "shirt*8|button-up shirt*3|button-down shirt*2|collared shirt*3|dress shirt*2"
        "|buttoned shirt|button-up|button up shirt|long-sleeved shirt*2",
        "sweater": "sweater*8|jumper*4|pullover*4|knit sweater*2|knitted jumper|knit top"
        "|knitted sweater*2|knitwear top|woolly jumper|wool sweater|crew-neck sweater|turtleneck"
        "|turtleneck sweater|cardigan",
        "hoodie": "hoodie*9|hooded sweatshirt*4|hooded sweater|hooded top*2|hoody*2"
        "|sweatshirt with a hood*2|hooded pullover|hooded jumper",
        "jacket": "jacket*12|zip-up jacket*2|bomber jacket*2|short jacket*2|windbreaker*2"
        "|zipped jacket|casual jacket|blazer|anorak|leather jacket|denim jacket|puffer jacket"
        "|sports jacket",
        "coat": "coat*9|overcoat*4|trench coat*4|long coat*5|winter coat*2|trenchcoat|topcoat"
        "|greatcoat|knee-length coat|raincoat|parka|wool coat|duffle coat",
        "vest": "vest*7|gilet*4|waistcoat*4|sleeveless jacket*4|body warmer|padded vest"
        "|puffer vest"
        "|bodywarmer|vest jacket",
        "dress": "dress*12|gown*2|frock*3|one-piece dress*2|sundress|summer dress",
    }
)
BLOUSE = words("blouse*3|shirt")
TOP = words("top*8|upper garment|upper-body garment|garment on top|piece of clothing on top")
CLOTHES = words(
    "clothes*3|clothing*2|upper body clothing*2|upper clothes*2|upper body clothes"
    "|clothing on top|upper-body clothing"
)
PATTERN = table(
    {
        "plain": "plain*5|solid*2|unpatterned|solid-coloured|single-coloured|solid-color"
        "|one-coloured",
        "striped": "striped*7|stripy*3|stripey|stripe-patterned|banded|stripe",
        "checked": "checked*5|plaid*5|checkered*3|tartan*2|gingham|chequered|check*2"
        "|check-patterned",
        "dotted": "dotted*4|polka-dot*4|polka dot*4|spotted*3|spotty*2|polka-dotted|dot-patterned",
        "printed": "printed*5|graphic*3|logo|graphic-print|print",
    }
)
PATTERN_WITH = table(
    {
        "plain": "without a pattern*3|with no pattern*3|without any print|without stripes or print",
        "striped": "with stripes*6|with a striped pattern*2|with a stripe pattern",
        "checked": "with checks*2|with a check pattern*2|with a checked pattern*2"
        "|with a plaid pattern*3|with squares|with a tartan pattern",
        "dotted": "with dots*3|with polka dots*4|with spots*2|with a dot pattern|with little dots"
        "|with a dotted pattern|with a polka dot pattern",
        "printed": "with a print*3|with a logo*3|with a graphic*2|with a logo on the chest*2"
        "|with a graphic on the chest|with a print on the chest*2|with a printed design"
        "|with a picture on it|with a picture on the chest|with a graphic print",
    }
)
# What is worn, where no garment is named.
PATTERN_ALONE = table(
    {
        "plain": "plain clothes*2|plain clothing|unpatterned clothes",
        "striped": "stripes*4|striped clothes|a striped garment",
        "checked": "checks|plaid*2|tartan|a checked garment|gingham",
        "dotted": "polka dots*4|dots|spots|a dotted garment",
        "printed": "a print*2|a printed garment|something with a logo*2|printed clothes",
    }
)
INNER = words(
    "a {c} top underneath*5|a {c} layer underneath*2|{c} showing underneath*2|a {c} inner layer*2"
    "|a {c} top beneath|a {c} top inside*2|a {c} top under it*3|{c} underneath*3"
    "|a {c} shirt underneath*2|a {c} t-shirt underneath|{c} inner clothing|a {c} inner top*2"
)
INNER_IS = words(
    "open over a {c} top*3|with a {c} top showing underneath*2|unbuttoned over a {c} top"
    "|open in front over {c}|open to show a {c} top|worn open over a {c} shirt"
    "|showing a {c} top underneath*2|open, showing {c} underneath|with {c} visible underneath"
)
INNER_OVER = words(
    "over a {c} top*5|over a {c} shirt*2|over {c}|over a {c} t-shirt"
    "|open over a {c} top*2|on top of a {c} top|over a {c} layer"
)
CLOSED = words(
    "nothing showing underneath*2|the front closed*2|the front done up*3"
    "|a closed front*2|a buttoned-up front|a zipped-up front|the front zipped up"
)
LOWER = table(
    {
        "jeans": "jeans*12|denim jeans*3|denim trousers*2|denim pants*2|denims|a pair of jeans*2",
        "trousers": "trousers*8|pants*8|slacks*2|chinos*2|long trousers*2|long pants*2"
        "|a pair of trousers|a pair of pants|dress pants|casual trousers|joggers|sweatpants"
        "|cargo pants|suit trousers|leggings",
        "shorts": "shorts*9|short pants*2|short trousers|a pair of shorts*2|bermuda shorts"
        "|knee-length shorts|knee-length pants",
        "skirt": "a skirt*8|a mini skirt|a pleated skirt|a midi skirt|a knee-length skirt"
        "|a miniskirt"
        "|a flared skirt",
    }
)
LOWER_COLOUR = words(
    "{c} bottoms*4|{c} on the bottom|{c} legwear*2|{c} lower body clothing*2"
    "|{c} lower clothes|{c} below the waist*2|{c} lower garments|{c} bottom wear"
)
SHOES = table(
    {
        "sneakers": "sneakers*8|trainers*5|running shoes*3|sports shoes*3|tennis shoes*2"
        "|athletic shoes|sport shoes|gym shoes|a pair of sneakers*2|a pair of trainers"
        "|canvas shoes|plimsolls|running trainers",
        "boots": "boots*10|ankle boots*2|high boots*2|a pair of boots*2|leather boots*2|booties"
        "|long boots|winter boots|knee-high boots|combat boots|hiking boots|rain boots",
        "leather shoes": "leather shoes*7|dress shoes*4|formal shoes*2|oxfords*2|loafers*2|brogues"
        "|smart shoes|polished shoes|oxford shoes|a pair of leather shoes|business shoes",
        "sandals": "sandals*9|open sandals*2|strappy sandals|open-toed shoes*2|open-toe shoes"
        "|a pair of sandals*2|summer sandals|open shoes|flat sandals|flip-flops*2|flip flops"
        "|slides",
    }
)
SHOES_COLOUR = words(
    "{c} shoes*9|{c} footwear*2|a pair of {c} shoes*2|{c} shoes on the feet"
    "|{c} coloured shoes|{c} on the feet"
)
BAG = table(
    {
        "backpack": "backpack*9|rucksack*5|knapsack*2|school bag|daypack|back pack*2|schoolbag"
        "|bag on the back*2|bag worn on the back",
        "handbag": "handbag*9|hand bag*2|purse*4|bag in the hand*2|hand-held bag*2"
        "|tote|tote bag*2|hand-carried bag|clutch|briefcase|shopping bag",
        "shoulder bag": "shoulder bag*8|crossbody bag*4|cross-body bag*2|messenger bag*3|satchel*2"
        "|sling bag*2|bag over the shoulder*3|bag on the shoulder*2|bag across the body"
        "|bag slung over the shoulder",
        "suitcase": "suitcase*8|rolling suitcase*3|trolley case*2|wheeled suitcase*2|trolley*2"
        "|travel case|wheelie case|trolley bag|roller bag|piece of luggage|suit case|luggage*2"
        "|carry-on suitcase|rolling luggage",
    }
)
BAG_COLOUR = words("bag*8|coloured bag|bag of some kind")
NO_BAG = words(
    "no bag*6|no bags*2|no bag or backpack|no luggage|nothing in the hands|empty hands*2|no baggage"
)
BAGLESS = words(
    "without a bag*5|without any bag*2|not carrying a bag*3|empty-handed*3"
    "|not carrying anything*2|carrying nothing*2|bagless|without bags"
)
UMBRELLA = words(
    "a {c} umbrella*9|a {c} parasol*2|an open {c} umbrella*2|a {c} brolly"
    "|an umbrella that is {c}|an umbrella in {c}|an opened {c} umbrella"
)
SOME_UMBRELLA = words("umbrella*9|open umbrella*2|parasol*2|brolly")
NO_UMBRELLA = words("no umbrella*5|no parasol|no umbrella up")
WITHOUT_UMBRELLA = words(
    "without an umbrella*5|not holding an umbrella*2|without any umbrella"
    "|not under an umbrella|not carrying an umbrella"
)
POSE = table(
    {
        "walking": "walking*9|strolling*2|striding|taking a step|on the move*2|stepping forward"
        "|walking along*2|walking by|in motion|mid-stride|going on foot"
        "|walking down the street|walking on the pavement|passing by",
        "standing": "standing*9|standing still*4|waiting*2|not moving|standing around|motionless"
        "|standing there*2|stationary|standing in place|standing on the pavement"
        "|standing and waiting|standing upright",
    }
)
POSE_ADJECTIVE = table({"walking": "walking*5|strolling|moving", "standing": "standing*4|waiting"})
VIEW = table(
    {
        "front": "facing the camera*5|seen from the front*5|facing us|facing forward*2"
        "|viewed from the front|facing the viewer*2|looking toward the camera|turned to the camera"
        "|shown from the front|turned towards us|facing front",
        "back": "seen from behind*5|seen from the back*4|facing away*3"
        "|facing away from the camera*2"
        "|with the back to the camera*2|viewed from behind|viewed from the back"
        "|turned away|shown from behind|with the back turned|turned away from us",
        "side": "seen from the side*5|in profile*3|side-on|viewed from the side*2"
        "|facing sideways*2|shown in profile|turned to the side|shown from the side"
        "|seen in profile*2|facing left or right",
    }
)
# Pose and view said in one breath.
POSE_AND_VIEW = table(
    {
        "walking front": "walking towards the camera*3|walking toward us*2|coming towards us*2"
        "|approaching the camera|coming toward the camera",
        "walking back": "walking away*4|walking away from the camera*3|heading away from us"
        "|moving away from the camera|walking off with the back to us",
        "walking side": "walking across the picture|walking in profile|walking sideways to us"
        "|walking across in front of us|walking across",
        "standing front": "standing and facing us|standing facing the camera*2|standing frontally",
        "standing back": "standing with the back to us*2|standing with the back to the camera"
        "|standing and facing away|standing turned away",
        "standing side": "standing in profile*2|standing sideways*2|standing side-on",
    }
)
VIEW_TAG = table(
    {
        "front": "front view*4|frontal view|frontal|front side|front",
        "back": "back view*4|rear view*3|from behind*2|view from the back|from the back",
        "side": "side view*5|profile view*2|profile|side profile|from the side|sideways",
    }
)
