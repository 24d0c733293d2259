"""Chinese words for every value, and the clauses made of them (see wording_en)."""

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from gallery.synthetic.attributes import NONE
from gallery.synthetic.wordlists import Words, pick, table, words

Values = Mapping[str, str]


class Clause(NamedTuple):
    """One topic in words.

    `verb` is a key of sentences_zh.LEADS ("upper", "hat" ...), or "adjective" (stands before the
    noun, with its own 的 where it needs one), "is" (a predicate of its own: 背对镜头), "tag"
    (stands only between commas: 背面). `own` is a predicate of a belonging: 大衣是红色的.
    """

    topic: str
    verb: str
    phrase: str
    own: str = ""


COLOUR = table(
    {
        "black": "黑色*16|纯黑色*2|全黑色|深黑色|漆黑色|深色",
        "white": "白色*16|纯白色*2|雪白色|乳白色|亮白色|洁白色",
        "grey": "灰色*12|浅灰色*3|深灰色*3|银灰色*2|银色*2|炭灰色|灰白色|烟灰色|暗灰色|淡灰色",
        "red": "红色*14|大红色*2|深红色*2|鲜红色*2|暗红色*2|酒红色*2|枣红色|正红色*2|朱红色|亮红色",
        "blue": "蓝色*12|深蓝色*3|浅蓝色*3|天蓝色*3|藏青色*2|藏蓝色*2|宝蓝色*2|海军蓝*2|淡蓝色|亮蓝色"
        "|湖蓝色|海蓝色|天空蓝",
        "green": "绿色*12|深绿色*2|浅绿色*2|墨绿色*3|军绿色*3|草绿色*2|橄榄绿*2|翠绿色*2|嫩绿色|淡绿色"
        "|果绿色|橄榄色|亮绿色|豆绿色",
        "yellow": "黄色*13|明黄色*2|浅黄色*2|鹅黄色*2|柠檬黄*2|金黄色*2|亮黄色*2|淡黄色|姜黄色|嫩黄色"
        "|鲜黄色",
        "orange": "橙色*10|橘色*6|橘黄色*3|橙黄色*2|亮橙色*2|深橙色|浅橙色|桔色*2|橘子色|鲜橙色",
        "pink": "粉色*9|粉红色*6|浅粉色*2|淡粉色*2|桃粉色|玫粉色|樱花粉|桃红色|嫩粉色|亮粉色|玫瑰粉"
        "|藕粉色",
        "purple": "紫色*13|浅紫色*2|深紫色*2|淡紫色*2|紫罗兰色*2|薰衣草紫|葡萄紫|紫红色|亮紫色|香芋紫"
        "|丁香紫",
        "brown": "棕色*9|褐色*5|咖啡色*4|深棕色*2|浅棕色*2|巧克力色|咖色|棕褐色*2|深褐色*2|茶褐色",
        "beige": "米色*8|卡其色*5|米黄色*3|杏色*3|驼色*2|沙色|浅卡其色*2|奶油色|燕麦色|奶茶色|浅驼色",
    }
)
# What stands right before a noun: 红大衣, 深蓝外套.
COLOUR_SHORT = table(
    {
        "black": "黑*6|纯黑",
        "white": "白*6|纯白",
        "grey": "灰*6|深灰*2|浅灰*2",
        "red": "红*6|大红*2|深红|酒红|暗红",
        "blue": "蓝*6|深蓝*3|浅蓝*3|藏青|藏蓝|天蓝*2|宝蓝",
        "green": "绿*6|深绿|浅绿|墨绿*2|军绿*2|草绿",
        "yellow": "黄*6|明黄|浅黄|鹅黄",
        "orange": "橙*2|橘",
        "pink": "粉*5|粉红*3|浅粉",
        "purple": "紫*6|浅紫|深紫",
        "brown": "棕*4|褐|深棕|浅棕",
        "beige": "卡其*3|米黄|米",
    }
)
HAIR_COLOUR = table(
    {
        "black": "黑色*6|乌黑*2|黑*3|乌黑色|纯黑色",
        "brown": "棕色*5|褐色*3|栗色*2|棕褐色|深棕色|浅棕色|咖啡色|棕*2|栗棕色",
        "blond": "金色*6|金黄色*2|金*3|浅金色|淡金色|亮金色",
        "grey": "灰色*5|灰白*2|花白*3|银灰色*2|灰白色*2|银色|斑白|灰*2",
        "red": "红色*6|红*3|酒红色|姜红色*2|火红色|棕红色|红棕色",
    }
)
GENDER = table(
    {
        "woman": "女人*6|女子*5|女士*4|女性*3|女的*4|女生*3|姑娘*2|女孩*3|女孩子|女孩儿|女性行人"
        "|妇女|女同志|小姐姐|女青年",
        "man": "男人*6|男子*5|男士*4|男性*3|男的*4|男生*3|小伙子*2|男孩*3|先生|男孩子|男性行人"
        "|男同志|小伙|小哥|男青年",
    }
)
GENDER_KEY = table(
    {
        "woman": "女*3|女性*4|女人*2|女士*2|女子|女的|女生",
        "man": "男*3|男性*4|男人*2|男士*2|男子|男的|男生",
    }
)
NOBODY = words("人*10|行人*3|路人*2|人员")
BUILD = table(
    {
        "slim": "瘦*3|苗条的*4|瘦瘦的*3|偏瘦的*2|纤瘦的|消瘦的|清瘦的|身材苗条的*2|身材瘦削的|瘦削的",
        "average": "中等身材的*4|体型匀称的*2|身材适中的*2|不胖不瘦的*2|体型中等的*2|身材匀称的"
        "|普通身材的",
        "stout": "胖*3|胖胖的*4|微胖的*2|偏胖的*3|壮实的*2|肥胖的|较胖的|体型偏胖的*2|圆润的|胖乎乎的",
    }
)
BUILD_IS = table(
    {
        "slim": "身材苗条*3|身材偏瘦*3|体型偏瘦*3|身形纤细*2|体型较瘦*2|身材瘦削|身材纤细|很瘦*2"
        "|比较瘦*2|体形消瘦|身材很瘦|体型瘦小",
        "average": "身材中等*4|体型中等*4|体型匀称*2|身材匀称*2|体型正常|中等身材*3|身材适中*2"
        "|不胖不瘦*2|体型适中|体态匀称|身材普通|中等体型*2",
        "stout": "身材偏胖*3|体型偏胖*4|体型肥胖*2|身材微胖*2|身材壮实*2|很胖*2|比较胖*2|体型较胖*2"
        "|身材魁梧|体格壮实|身材臃肿|有点胖",
    }
)
HAIR = table(
    {
        "short": "留着{c}短发*5|{c}短发*5|一头{c}短发*2|剪着{c}短发|{c}短头发*2|{c}头发很短|留{c}短发"
        "|{c}头发剪得很短",
        "long": "留着{c}长发*5|{c}长发*5|一头{c}长发*2|披着{c}长发*2|{c}长发披肩*2|{c}长头发*2"
        "|{c}头发很长*2|留{c}长发|{c}披肩长发*2|{c}长发披散",
        "ponytail": "扎着{c}马尾*4|扎着{c}马尾辫*3|{c}马尾辫*2|梳着{c}马尾*2|{c}头发扎成马尾*2|扎{c}马尾"
        "|{c}头发束成马尾|{c}马尾*2|{c}头发扎着马尾|绑着{c}马尾",
        "bun": "扎着{c}丸子头*3|{c}丸子头*3|盘着{c}头发*2|{c}盘发*2|挽着{c}发髻*2|{c}头发盘起来*2"
        "|梳着{c}发髻*2|{c}头发盘成发髻*2|扎着{c}发髻|{c}头发盘在脑后|{c}发髻",
    }
)
HAIR_ADJECTIVE = table(
    {
        "short": "短发*4|短头发|短发的*2|短头发的",
        "long": "长发*5|长头发|长发的*2|长发披肩的|长头发的",
        "ponytail": "扎马尾的*2|马尾辫|马尾",
        "bun": "丸子头|盘发的|盘发",
    }
)
HAIR_ONLY_COLOUR = words(
    "{c}头发*6|一头{c}头发*2|头发是{c}的*3|留着{c}头发|头发{c}*2|{c}的头发*2|发色为{c}"
)
BALD = words("光头*6|秃头*3|秃顶|光头的*2|秃顶的")
BALD_IS = words(
    "剃了光头*2|没有头发*3|头发剃光了|没头发*2|剃着光头|是光头*3|是个光头*2|顶着光头|光着脑袋"
)
HAT = table(
    {
        "cap": "鸭舌帽*7|棒球帽*7|鸭舌帽子|棒球帽子|运动帽*2|长舌帽",
        "beanie": "毛线帽*7|针织帽*5|绒线帽*2|毛线帽子*2|冷帽|针织帽子|毛帽|线帽|套头帽",
        "brimmed hat": "宽檐帽*5|宽边帽*3|遮阳帽*3|礼帽*3|大檐帽*2|渔夫帽*2|宽檐帽子|有檐帽|大沿帽"
        "|太阳帽|爵士帽",
    }
)
HATLESS = words(
    "没戴帽子*6|没有戴帽子*3|不戴帽子*2|未戴帽子*2|没有帽子|头上没有帽子|头上没戴帽子*2|无帽"
    "|没带帽子"
)
GLASSES = table(
    {
        "glasses": "眼镜*9|近视眼镜*2|近视镜|框架眼镜|透明眼镜",
        "sunglasses": "墨镜*9|太阳镜*4|太阳眼镜*3|大墨镜|遮阳镜",
    }
)
NO_GLASSES = words(
    "没戴眼镜*6|没有戴眼镜*3|不戴眼镜*2|未戴眼镜*2|没有眼镜|脸上没有眼镜|无眼镜|没带眼镜"
)
UPPER = table(
    {
        "t-shirt": "T恤*7|t恤*4|短袖*5|短袖T恤*2|T恤衫*2|短袖上衣|圆领T恤|短袖衫|体恤|半袖|t恤衫|T 恤|短T",
        "shirt": "衬衫*9|衬衣*5|长袖衬衫*2|有领衬衫|翻领衬衫|长袖衬衣|衬衫上衣",
        "sweater": "毛衣*8|针织衫*4|套头衫*2|毛线衣*2|套头毛衣|羊毛衫*2|线衣|针织毛衣|毛衫|针织上衣",
        "hoodie": "卫衣*6|连帽衫*4|连帽卫衣*5|帽衫*2|带帽卫衣*2|套头卫衣|连帽上衣|兜帽衫",
        "jacket": "夹克*7|外套*6|夹克衫*3|短外套*2|拉链外套|夹克外套*2|短款外套|飞行员夹克|休闲夹克|夹克上衣",
        "coat": "大衣*8|长大衣*3|风衣*4|长外套*2|呢子大衣|长款大衣*2|长款外套|毛呢大衣|长风衣|大衣外套",
        "vest": "马甲*7|背心*4|坎肩*2|马夹|无袖外套*2|无袖马甲|羽绒马甲|马甲外套|无袖背心",
        "dress": "连衣裙*10|连身裙*3|连衣长裙|连体裙|连衣短裙",
    }
)
TOP = words("上衣*7|衣服*5|衣裳|衫")
PATTERN = table(
    {
        "plain": "纯色*5|素色*3|单色*2|无图案的|没有图案的*2|没有花纹的|净色",
        "striped": "条纹*8|横条纹|带条纹的*2|有条纹的*2|条纹图案的|条纹花纹的|条子|间条",
        "checked": "格子*7|格纹*4|方格*2|带格子的|格子图案的|格子花纹的|有格子的|格子纹",
        "dotted": "波点*5|圆点*4|带圆点的*2|斑点*2|点点|有圆点的|圆点图案的|波点图案的|带波点的",
        "printed": "印花*5|带图案的*3|印有图案的*2|有图案的*2|带logo的|胸前有图案的*2|胸前印着图案的"
        "|带印花的*2|印着图案的|胸前带标志的|图案",
    }
)
PATTERN_OWN = table(
    {
        "plain": "没有图案*2|是纯色的*2|没有花纹|是素色的",
        "striped": "有条纹*2|是条纹的*2|带条纹",
        "checked": "有格子*2|是格子的*2|带格子|是格纹的",
        "dotted": "有圆点*2|是波点的*2|带波点|带圆点",
        "printed": "有图案*2|印着图案|带印花|上印有图案|胸前有图案",
    }
)
INNER = words(
    "里面穿着{c}内搭*2|内搭{c}上衣*3|里面是{c}的*3|里面穿{c}衣服*3|敞开露出{c}内搭*2|里面穿着{c}上衣*3"
    "|敞怀露出里面的{c}衣服|里面配{c}内搭|内穿{c}上衣*2|里面套着{c}衣服|里面穿{c}T恤|内搭{c}衬衫|内搭为{c}"
    "|露出里面{c}的衣服|里面搭{c}打底衫*2|{c}内搭*3|里头穿着{c}衣服|敞开着，里面是{c}上衣"
)
CLOSED = words("衣襟扣着*2|拉链拉上了|扣着扣子*2|衣襟合拢|前襟没有敞开*2|没有敞怀")
LOWER = table(
    {
        "jeans": "牛仔裤*10|牛仔长裤*2|牛仔裤子",
        "trousers": "裤子*6|长裤*7|休闲裤*3|西裤*2|西装裤|直筒裤|长裤子|休闲长裤|西服裤",
        "shorts": "短裤*9|五分裤*2|中裤|短裤子|休闲短裤|及膝短裤|沙滩裤",
        "skirt": "半身裙*5|裙子*5|短裙*5|半裙|百褶裙|半截裙*2|半身短裙|及膝裙|伞裙",
    }
)
LOWER_COLOUR_IS = words(
    "下身{c}*3|下半身{c}*2|下身是{c}*2|下身穿{c}*3|下装{c}|下装为{c}|下身为{c}*2|下身穿着{c}"
)
SHOES = table(
    {
        "sneakers": "运动鞋*9|球鞋*3|跑鞋*3|跑步鞋|板鞋*2|旅游鞋|慢跑鞋|运动跑鞋|波鞋",
        "boots": "靴子*8|短靴*3|长靴*2|皮靴*2|高筒靴|马丁靴|高帮靴|筒靴|靴",
        "leather shoes": "皮鞋*10|正装皮鞋|商务皮鞋|真皮鞋|正装鞋|系带皮鞋|乐福鞋",
        "sandals": "凉鞋*10|露趾凉鞋|露趾鞋|凉拖|凉鞋子|罗马凉鞋",
    }
)
BAG = table(
    {
        "backpack": "双肩包*8|背包*7|书包*4|双肩背包*2|后背包*2|双肩书包",
        "handbag": "手提包*8|手拎包*2|手包|手提袋*2|提包*2|拎包|手袋*2|手提小包|女式手包|托特包",
        "shoulder bag": "斜挎包*6|单肩包*6|挎包*4|肩包|斜背包|邮差包|单肩挎包|单肩背包|肩挎包",
        "suitcase": "行李箱*7|拉杆箱*7|旅行箱*3|箱子*2|皮箱|旅行拉杆箱|行李拉杆箱|大箱子",
    }
)
NO_BAG = words(
    "没背包*4|没有背包*3|没带包*3|空着手*3|两手空空*2|不带包|没拿包*2|未背包|没有包*2|空手*2"
    "|没有带包*2|手里什么都没拿|身上没有包|没有拿东西|没拎包|没带任何包"
)
UMBRELLA = words("伞*6|雨伞*7|遮阳伞*2|阳伞|大伞|太阳伞")
NO_UMBRELLA = words(
    "没打伞*5|没有打伞*4|不打伞|没撑伞*3|未打伞|没带伞*2|没有雨伞|没有撑伞*2|无伞|手里没有伞"
)
POSE = table(
    {
        "walking": "正在走路*5|在走路*4|正在行走*4|走着*2|行走中*2|走在路上*3|往前走*3|正在步行*2"
        "|正在走动|在路上走*2|迈步行走|行走|走路*2|在街上走着|迈着步子|大步走着|路过",
        "standing": "站着*5|正站着*2|站立*3|站在路边*3|站在那里*3|站着不动*3|原地站立*2|静静站着"
        "|站在原地*2|正在站立|停在原地|站在街上|在等人|站着等人|驻足",
    }
)
VIEW = table(
    {
        "front": "面对镜头*4|面朝镜头*3|正对镜头*3|面向镜头*3|正面对着镜头*2|从正面看|正对着我们|正面朝前"
        "|面朝我们|脸朝镜头",
        "back": "背对镜头*5|背朝镜头*3|背向镜头*2|背对着我们*2|背对着镜头*2|从背后看|从后面看|转过身去"
        "|只看得到背影|只能看到背影|背朝我们",
        "side": "侧身*3|侧对镜头*4|侧着身子*3|侧身对着镜头*2|侧对着镜头*2|从侧面看|侧身朝向镜头|侧着身"
        "",
    }
)
VIEW_TAG = table(
    {
        "front": "正面*6|正面照|正面视角|正脸|正面朝向",
        "back": "背面*4|背影*4|背面照|背后|背面视角|后背",
        "side": "侧面*6|侧面照|侧面视角|侧脸|侧身*2|侧影",
    }
)
# The measure words of things; a noun not listed takes 个.
_MEASURES = (
    ("裙", "条"), ("裤", "条"), ("鞋", "双"), ("靴", "双"), ("拖", "双"), ("帽", "顶"), ("镜", "副"),
    ("伞", "把"),
)  # fmt: skip


def measured(topic: str, thing: str, noun: str) -> str:
    """The thing with 一 and the measure word that the noun takes."""
    if topic in ("bag",):
        return ("一只" if "箱" in noun else "一个") + thing
    if topic == "upper" and "裙" not in noun:
        return "一件" + thing
    return next((f"一{m}" for part, m in _MEASURES if part in noun), "一个") + thing


def _coloured(noun: str, shade: str, r: Random) -> str:
    roll = r.random()
    if roll < 0.24 and not (noun[0].isascii() or shade in ("orange", "beige") and roll > 0.08):
        return pick(r, COLOUR_SHORT[shade]) + noun
    colour = pick(r, COLOUR[shade])
    return f"{colour}的{noun}" if roll > 0.74 else colour + noun


def _own(noun: str, shade: str, r: Random) -> str:
    colour = pick(r, COLOUR[shade])
    return pick(r, ("{n}是{c}的", "{n}是{c}的", "{n}是{c}", "{n}为{c}", "{n}的颜色是{c}")).format(
        n=noun, c=colour
    )


def _thing(topic: str, verb: str, noun: str, shade: str, r: Random) -> Clause:
    thing = _coloured(noun, shade, r) if shade else noun
    phrase = measured(topic, thing, noun) if r.random() < 0.22 else thing
    return Clause(topic, verb, phrase, _own(noun, shade, r) if shade else "")


def _build(v: Values, r: Random, brief: bool) -> Clause:
    if r.random() < (0.3 if brief else 0.45):
        return Clause("build", "adjective", pick(r, BUILD[v["build"]]))
    return Clause("build", "is", pick(r, BUILD_IS[v["build"]]))


def _hair(v: Values, r: Random, brief: bool) -> Clause:
    style, shade = v.get("hair", ""), v.get("hair_colour", "")
    if style == "bald" or shade == NONE:
        if r.random() < 0.55:
            return Clause("hair", "adjective", pick(r, BALD))
        return Clause("hair", "is", pick(r, BALD_IS))
    colour = pick(r, HAIR_COLOUR[shade]) if shade else ""
    if not style:
        if len(colour) == 1:
            return Clause("hair", "adjective", colour + pick(r, ("发", "发", "头发", "头发的")))
        if "白" in colour and not colour.endswith("色"):
            return Clause(
                "hair", "is", pick(r, ("头发{c}", "{c}头发", "一头{c}头发")).format(c=colour)
            )
        return Clause("hair", "is", pick(r, HAIR_ONLY_COLOUR).format(c=colour))
    if not colour and r.random() < 0.3:
        return Clause("hair", "adjective", pick(r, HAIR_ADJECTIVE[style]))
    if len(colour) > 1 and r.random() < 0.3:
        colour += "的"
    text = pick(r, HAIR[style]).replace("{c}", colour)
    return Clause("hair", "is", text)


def _hat(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("hat", ""), v.get("hat_colour", "")
    if NONE in (kind, shade):
        return Clause("hat", "is", pick(r, HATLESS))
    return _thing("hat", "hat", pick(r, HAT[kind]) if kind else "帽子", shade, r)


def _glasses(v: Values, r: Random, brief: bool) -> Clause:
    kind = v["glasses"]
    if kind == NONE:
        return Clause("glasses", "is", pick(r, NO_GLASSES))
    return _thing("glasses", "glasses", pick(r, GLASSES[kind]), "", r)


def _upper(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade, pattern = v.get("upper"), v.get("upper_colour", ""), v.get("upper_pattern")
    noun = pick(r, UPPER[kind]) if kind else pick(r, TOP)
    if not kind and not pattern and r.random() < 0.25:
        colour = pick(r, COLOUR[shade])
        here = ("上身{c}", "上身穿{c}", "上衣是{c}的", "上衣为{c}", "上身是{c}的", "上身穿着{c}")
        return Clause("upper", "is", pick(r, here).format(c=colour))
    if noun == "衫" and not pattern:
        noun = "上衣"
    if not pattern:
        return _thing("upper", "upper", noun, shade, r)
    if noun == "衫" and shade:
        noun = "上衣"
    mark = pick(r, PATTERN[pattern])
    if noun == "衫" and mark.endswith("的"):
        noun = "上衣"
    own = noun + pick(r, PATTERN_OWN[pattern]) if not shade else ""
    if not shade:
        thing = mark + noun
        if not mark.endswith("的") and r.random() < 0.12 and noun != "衫":
            thing = f"{mark}的{noun}"
    elif mark.endswith("的") or r.random() < 0.3:
        thing = mark + _coloured(noun, shade, r)
    else:
        thing = _coloured(mark + noun, shade, r)
    return Clause(
        "upper", "upper", measured("upper", thing, noun) if r.random() < 0.2 else thing, own
    )


def _inner(v: Values, r: Random, brief: bool) -> Clause:
    if v["inner_colour"] == NONE:
        return Clause("inner", "is", pick(r, CLOSED))
    return Clause("inner", "is", pick(r, INNER).replace("{c}", pick(r, COLOUR[v["inner_colour"]])))


def _lower(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("lower", ""), v.get("lower_colour", "")
    if NONE in (kind, shade):
        return Clause("lower", "is", "没有另穿裤子或半身裙")
    if not kind:
        return Clause("lower", "is", pick(r, LOWER_COLOUR_IS).format(c=pick(r, COLOUR[shade])))
    return _thing("lower", "lower", pick(r, LOWER[kind]), shade, r)


def _shoes(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("shoes", ""), v.get("shoes_colour", "")
    noun = pick(r, SHOES[kind]) if kind else pick(r, ("鞋", "鞋子", "鞋子"))
    return _thing("shoes", "shoes", noun, shade, r)


_BAG_VERBS = {"": "bag", "backpack": "back", "suitcase": "roll", "handbag": "hand"}


def _bag(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("bag", ""), v.get("bag_colour", "")
    if NONE in (kind, shade):
        return Clause("bag", "is", pick(r, NO_BAG))
    noun = pick(r, BAG[kind]) if kind else pick(r, ("包", "包", "包包", "包"))
    return _thing("bag", _BAG_VERBS.get(kind, "shoulder"), noun, shade, r)


def _umbrella(v: Values, r: Random, brief: bool) -> Clause:
    shade = v["umbrella_colour"]
    if shade == NONE:
        return Clause("umbrella", "is", pick(r, NO_UMBRELLA))
    return _thing("umbrella", "hold", pick(r, UMBRELLA), shade, r)


def _pose(v: Values, r: Random, brief: bool) -> Clause:
    return Clause("pose", "is", pick(r, POSE[v["pose"]]))


def _view(v: Values, r: Random, brief: bool) -> Clause:
    if r.random() < (0.6 if brief else 0.0):
        return Clause("view", "tag", pick(r, VIEW_TAG[v["view"]]))
    return Clause("view", "is", pick(r, VIEW[v["view"]]))


_TOPICS: tuple[tuple[tuple[str, ...], Callable[[Values, Random, bool], Clause]], ...] = (
    (("build",), _build),
    (("hair", "hair_colour"), _hair),
    (("hat", "hat_colour"), _hat),
    (("glasses",), _glasses),
    (("upper", "upper_colour", "upper_pattern"), _upper),
    (("inner_colour",), _inner),
    (("lower", "lower_colour"), _lower),
    (("shoes", "shoes_colour"), _shoes),
    (("bag", "bag_colour"), _bag),
    (("umbrella_colour",), _umbrella),
    (("pose",), _pose),
    (("view",), _view),
)


def clauses(v: Values, r: Random, brief: bool = False) -> list[Clause]:
    """A clause for each topic that the values touch, from head to foot; gender is not among them.

    brief: the clauses will stand as keywords.
    """
    return [word(v, r, brief) for fields, word in _TOPICS if any(field in v for field in fields)]
