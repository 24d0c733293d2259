"""The words that claim no more than their fact.

A drawn person is made of facts, so that any wording of "red" is true of them. What is known of a
real one is the fact alone: red is not crimson, a jacket not a leather jacket, a woman not a girl.
"""

import re

from gallery.synthetic.wordlists import Choosy

_EN = """
black|white|grey|gray|red|blue|green|yellow|orange|pink|purple|brown|beige|blond|blonde
woman|lady|female|female pedestrian|man|gentleman|male|male pedestrian
person|pedestrian|individual
slim|thin|slender|average-built|medium-built|heavily built|stout|heavy-set|stocky
a slim build|a slim figure|an average build|a medium build|a stout build|a heavy build
short {c} hair|{c} short hair|long {c} hair|{c} long hair|{c} hair worn long
a {c} ponytail|{c} hair in a ponytail|{c} hair tied in a ponytail
{c} hair in a bun|a {c} bun|{c} hair tied in a bun
short-haired|long-haired|hair is short|hair is long|hair is in a ponytail|hair is in a bun
bald|a bald head|no hair
cap|beanie|knit hat|knitted hat|brimmed hat|hat with a brim
without a hat|not wearing a hat|no hat|no headwear
glasses|eyeglasses|sunglasses|dark glasses|no glasses|no eyewear|without glasses
not wearing glasses
t-shirt|tee|tee shirt|shirt|sweater|jumper|pullover|hoodie|hooded sweatshirt|hooded top
jacket|coat|vest|gilet|sleeveless jacket|dress
top|upper garment|clothes|clothing|upper body clothing
plain|striped|checked|checkered|plaid|dotted|polka-dot|spotted|printed
without a pattern|with no pattern|with stripes|with a striped pattern|with checks
with a checked pattern|with dots|with a dotted pattern|with a print|with a printed design
plain clothes|striped clothes|a checked garment|a dotted garment|a printed garment
a {c} top underneath|a {c} layer underneath|{c} showing underneath|a {c} inner layer
open over a {c} top|with a {c} top showing underneath|over a {c} top|over {c}
nothing showing underneath|a closed front
jeans|denim jeans|denim trousers|a pair of jeans|trousers|pants|long trousers|long pants
a pair of trousers|a pair of pants|shorts|short pants|a pair of shorts|a skirt
{c} bottoms|{c} lower body clothing|{c} lower clothes
sneakers|trainers|sports shoes|a pair of sneakers|a pair of trainers|boots|a pair of boots
leather shoes|a pair of leather shoes|sandals|open sandals|a pair of sandals
{c} shoes|{c} footwear|a pair of {c} shoes
backpack|rucksack|handbag|hand bag|bag in the hand|hand-held bag|shoulder bag
bag over the shoulder|bag on the shoulder|suitcase|bag
no bag|no bags|without a bag|without any bag|not carrying a bag
a {c} umbrella|an open {c} umbrella|umbrella|no umbrella|without an umbrella
not holding an umbrella
walking|standing|walking along|standing still
facing the camera|seen from the front|facing front|viewed from the front
seen from behind|seen from the back|facing away from the camera|viewed from behind
seen from the side|viewed from the side|in profile
walking towards the camera|walking away from the camera|walking in profile
standing facing the camera|standing with the back to the camera|standing in profile
front view|back view|rear view|side view
"""
_ZH = """
黑色|白色|灰色|红色|蓝色|绿色|黄色|橙色|粉色|粉红色|紫色|棕色|褐色|米色|卡其色|金色
黑|白|灰|红|蓝|绿|黄|橙|粉|紫|棕|褐|米
女人|女子|女士|女性|女性行人|男人|男子|男士|男性|男性行人|女|男|人|行人
瘦|苗条的|偏瘦的|中等身材的|体型中等的|胖|偏胖的
身材苗条|身材偏瘦|体型偏瘦|身材中等|体型中等|中等身材|身材偏胖|体型偏胖
留着{c}短发|{c}短发|{c}短头发|留着{c}长发|{c}长发|{c}长头发|扎着{c}马尾|扎着{c}马尾辫|{c}马尾
扎着{c}丸子头|{c}丸子头|{c}盘发
短发|短发的|长发|长发的|扎马尾的|马尾|丸子头|盘发的
{c}头发|头发是{c}的|{c}的头发|光头|光头的|没有头发|是光头
鸭舌帽|棒球帽|毛线帽|针织帽|宽檐帽|有檐帽|没戴帽子|没有戴帽子|没有帽子
眼镜|墨镜|太阳镜|没戴眼镜|没有戴眼镜|没有眼镜
T恤|T恤衫|短袖T恤|衬衫|衬衣|毛衣|针织衫|卫衣|连帽卫衣|连帽衫|夹克|夹克衫|大衣|长大衣|马甲
无袖外套|连衣裙|连身裙|上衣|衣服
纯色|素色|条纹|格子|格纹|波点|圆点|印花|带图案的|有图案的|没有图案|是纯色的|有条纹|有格子
有圆点|有图案
里面穿着{c}内搭|里面是{c}的|里面穿{c}衣服|里面穿着{c}上衣|前襟没有敞开|没有敞怀
牛仔裤|牛仔长裤|裤子|长裤|短裤|半身裙|裙子
下身{c}|下半身{c}|下身是{c}|下身穿{c}
运动鞋|靴子|皮鞋|凉鞋|鞋|鞋子
双肩包|背包|双肩背包|手提包|手拎包|斜挎包|单肩包|挎包|行李箱|箱子|包
没背包|没有背包|没带包|没有包|没有带包
伞|雨伞|没打伞|没有打伞|没有雨伞
正在走路|在走路|正在行走|走着|行走|站着|正站着|站立|正在站立
面对镜头|面朝镜头|正对镜头|面向镜头|背对镜头|背朝镜头|背向镜头|侧身|侧对镜头|侧身对着镜头
面对镜头走着|背对镜头走着|侧身走着|侧对镜头走着|面对镜头站着|背对镜头站着|侧身站着|侧对镜头站着
正面|背面|侧面
"""


class PlainWords(Choosy):
    allowed = frozenset(re.split(r"[|\n]", _EN + _ZH)) - {""}
